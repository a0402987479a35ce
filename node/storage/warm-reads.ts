import { platform, resourceUsage } from 'node:process';

/** Maximum ms that a read from memory takes. */
const QUICK = 4;
/** Maximum ms that a read from memory takes on a busy machine, where the process has to wait for a core. */
const QUICK_ON_BUSY = 20;
/**
 * ms after a slow synchronous read in which nothing is read synchronously: the first time, and at
 * most.
 */
const FIRST_PAUSE = 1_000;
const MOST_PAUSE = 5 * 60_000;

/**
 * Decides whether a file is read synchronously instead of in the thread pool. Bytes written a
 * moment ago are in the memory of the system; for them, the hand-over to the thread pool takes
 * several times as long as the read. A slow read shows that the bytes came from the disk: then the
 * next reads go to the thread pool, so that the event loop does not wait.
 */
export class WarmReads {
	readonly #countDiskReads: typeof countDiskReads;
	/** Number of disk reads of this process, counted after the last slow read. */
	#diskReads: number | undefined;
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
		if (took > QUICK && (this.#hasReadDisk() || took > QUICK_ON_BUSY)) {
			this.#pausedUntil = now + this.#pause;
			this.#pause = Math.min(this.#pause * 2, MOST_PAUSE);
		}
	}

	/** Whether this process has read from a disk since the last call. True where that is not known. */
	#hasReadDisk(): boolean {
		const before = this.#diskReads;
		this.#diskReads = this.#countDiskReads();
		return this.#diskReads === undefined || this.#diskReads !== before;
	}
}

/** On Linux, `fsRead` counts only reads from a disk. Other systems do not count these. */
function countDiskReads(): number | undefined {
	return platform === 'linux' ? resourceUsage().fsRead : undefined;
}
