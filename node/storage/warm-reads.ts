import { platform, resourceUsage } from 'node:process';

/** Maximum ms that a read from memory takes; a read from a disk may be as quick. */
const QUICK = 1;
/** Maximum ms that a read from memory takes on a slow machine. */
const QUICK_ON_SLOW = 4;
/** The same on a busy machine, where the process has to wait for a core. */
const QUICK_ON_BUSY = 20;
/**
 * After so many reads in a row that took more than QUICK_ON_SLOW, the process does not wait for a
 * core: the file is on another machine, whose reads the system does not count.
 */
const SLOW_IN_A_ROW = 8;
/**
 * ms after a slow synchronous read in which nothing is read synchronously: the first time, and at
 * most.
 */
const FIRST_PAUSE = 1_000;
const MOST_PAUSE = 5 * 60_000;

/**
 * Decides whether a file is read synchronously instead of in the thread pool. Most bytes that a node
 * sends are in the memory of the system; for them, the hand-over to the thread pool takes as long as
 * the read, or longer. A slow read shows that the bytes came from a disk: then the next reads go to
 * the thread pool, so that the event loop does not wait.
 */
export class WarmReads {
	readonly #countDiskReads: typeof countDiskReads;
	/** Number of disk reads of this process, counted after the last slow read. */
	#diskReads: number | undefined;
	#slowInARow = 0;
	#pause = FIRST_PAUSE;
	#pausedUntil = Number.NEGATIVE_INFINITY;

	/** @param count returns how often this process has read from a disk. @default asks the system */
	constructor(count = countDiskReads) {
		this.#countDiskReads = count;
		this.#diskReads = count();
	}

	/** Whether the file may be read synchronously. @param now ms, monotonic */
	isWarm(now: number): boolean {
		return now >= this.#pausedUntil;
	}

	/** Notes that a synchronous read took `took` ms. */
	onRead(took: number, now: number): void {
		this.#slowInARow = took > QUICK_ON_SLOW ? this.#slowInARow + 1 : 0;
		if (took > QUICK && this.#isFromElsewhere(took)) {
			this.#slowInARow = 0;
			this.#pausedUntil = now + this.#pause;
			this.#pause = Math.min(this.#pause * 2, MOST_PAUSE);
		}
	}

	/** Whether the bytes of a read that took `took` ms were not in memory, or may not have been. */
	#isFromElsewhere(took: number): boolean {
		const before = this.#diskReads;
		this.#diskReads = this.#countDiskReads();
		const isLong = took > QUICK_ON_BUSY || this.#slowInARow >= SLOW_IN_A_ROW;
		return isLong || (before === undefined ? took > QUICK_ON_SLOW : this.#diskReads !== before);
	}
}

/** On Linux, `fsRead` counts only reads from a disk. Other systems do not count these. */
function countDiskReads(): number | undefined {
	return platform === 'linux' ? resourceUsage().fsRead : undefined;
}
