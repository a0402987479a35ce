import { platform, resourceUsage } from 'node:process';

/** Maximum ms that a read from memory takes. */
const QUICK = 4;
/** Maximum ms that a read from memory takes on a busy machine, where the process has to wait for a core. */
const QUICK_ON_BUSY = 20;
/**
 * The longest average time of reads from memory: FILE_TIME ms for each file, and 1 ms for each
 * BYTES_A_MS bytes. Reads from other machines take longer, and the system does not count them.
 */
const FILE_TIME = 0.5;
const BYTES_A_MS = 200_000;
/** ms. The average is judged whenever the reads since the last time may have taken this long. */
const JUDGE_AFTER = 40;
/** ms of synchronous reads in one turn of the event loop. After that, others have their turn. */
const MOST_A_TURN = 10;
/**
 * ms after a slow synchronous read in which nothing is read synchronously: the first time, and at
 * most.
 */
const FIRST_PAUSE = 1_000;
const MOST_PAUSE = 5 * 60_000;

/**
 * Decides whether a file is read synchronously instead of in the thread pool. Most bytes that a node
 * sends are in the memory of the system; for them, the hand-over to the thread pool takes as long as
 * the read, or longer. A slow read shows that the bytes came from elsewhere: then the next reads go
 * to the thread pool, so that the event loop does not wait.
 */
export class WarmReads {
	readonly #countDiskReads: typeof countDiskReads;
	/** Number of disk reads of this process, counted after the last slow read. */
	#diskReads: number | undefined;
	#pause = FIRST_PAUSE;
	#pausedUntil = Number.NEGATIVE_INFINITY;
	/** ms that the last reads took together, and ms that they may have taken. */
	#took = 0;
	#allowed = 0;
	/** ms of reads in this turn of the event loop. */
	#inTurn = 0;

	/** @param count returns how often this process has read from a disk. @default asks the system */
	constructor(count = countDiskReads) {
		this.#countDiskReads = count;
		this.#diskReads = count();
	}

	/** Whether the file may be read synchronously now. @param now ms, monotonic */
	isWarm(now: number): boolean {
		return now >= this.#pausedUntil && this.#inTurn < MOST_A_TURN;
	}

	/** Notes that a synchronous read of `bytes` bytes in `files` files took `took` ms. */
	onRead(took: number, now: number, bytes: number, files = 1): void {
		if (this.#inTurn === 0) {
			setImmediate(() => {
				this.#inTurn = 0;
			});
		}
		this.#inTurn += took;
		this.#took += took;
		this.#allowed += files * FILE_TIME + bytes / BYTES_A_MS;
		const isFromDisk = took > QUICK && (this.#hasReadDisk() || took > QUICK_ON_BUSY);
		const isJudged = this.#allowed >= JUDGE_AFTER;
		if (isFromDisk || (isJudged && this.#took > this.#allowed)) {
			this.#pausedUntil = now + this.#pause;
			this.#pause = Math.min(this.#pause * 2, MOST_PAUSE);
		} else if (isJudged) {
			this.#pause = Math.max(this.#pause / 2, FIRST_PAUSE);
		}
		if (isFromDisk || isJudged) {
			this.#took = 0;
			this.#allowed = 0;
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
