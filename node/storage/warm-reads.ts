/** ms that a read out of memory takes at most, on a busy machine too. */
const QUICK = 4;
/** ms without such reads after one that was slow, at first and at most. */
const FIRST_PAUSE = 1_000;
const MOST_PAUSE = 5 * 60_000;

/**
 * Decides whether a file is read synchronously instead of in the thread pool. Bytes written a
 * moment ago are in the system's memory, and there the hand-over takes several times as long as the
 * read. A slow read shows that the bytes came from the disk: then the next reads go to the thread
 * pool, so that the event loop does not wait.
 */
export class WarmReads {
	#pause = FIRST_PAUSE;
	#pausedUntil = Number.NEGATIVE_INFINITY;

	/** Whether the file may be read at once. @param now ms, monotonic */
	isWarm(now: number): boolean {
		return now >= this.#pausedUntil;
	}

	/** A read has taken `took` ms. */
	onRead(took: number, now: number): void {
		if (took > QUICK) {
			this.#pausedUntil = now + this.#pause;
			this.#pause = Math.min(this.#pause * 2, MOST_PAUSE);
		}
	}
}
