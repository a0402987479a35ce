/** Maximum ms that a read from memory takes, also on a busy machine. */
const QUICK = 4;
/** ms without synchronous reads after a slow synchronous read: the first time, and at most. */
const FIRST_PAUSE = 1_000;
const MOST_PAUSE = 5 * 60_000;

/**
 * Decides whether a file is read synchronously instead of in the thread pool. Bytes written a
 * moment ago are in the memory of the system; for them, the hand-over to the thread pool takes
 * several times as long as the read. A slow read shows that the bytes came from the disk: then the
 * next reads go to the thread pool, so that the event loop does not wait.
 */
export class WarmReads {
	#pause = FIRST_PAUSE;
	#pausedUntil = Number.NEGATIVE_INFINITY;

	/** Whether the file may be read synchronously. @param now ms, monotonic */
	isWarm(now: number): boolean {
		return now >= this.#pausedUntil;
	}

	/** Notes that a synchronous read took `took` ms. */
	onRead(took: number, now: number): void {
		if (took > QUICK) {
			this.#pausedUntil = now + this.#pause;
			this.#pause = Math.min(this.#pause * 2, MOST_PAUSE);
		}
	}
}
