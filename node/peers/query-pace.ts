/**
 * ms between two queries of the tracker, at first and at most. The pause grows, because a swarm
 * changes fast only while it is new.
 */
const FIRST = 250;
const LAST = 10_000;
/** ms without a message from any peer, after which the tracker is asked for changes. */
export const SILENCE = 1_500;

/** Decides when the tracker is asked again for the nodes of a swarm. Times are ms. */
export class QueryPace {
	#queriedAt = Number.NEGATIVE_INFINITY;
	#pause = FIRST;

	/** @param heardAt when a message last arrived from any peer */
	isDue(now: number, heardAt: number): boolean {
		const pause = now - heardAt >= SILENCE ? SILENCE : this.#pause;
		return now - this.#queriedAt >= pause;
	}

	/** The tracker is being asked. */
	queried(now: number): void {
		this.#queriedAt = now;
		this.#pause = Math.min(this.#pause * 2, LAST);
	}

	/** The next pauses are short again. */
	quicken(): void {
		this.#pause = FIRST;
	}

	/** A query is due at once, and the next pauses are short again. */
	restart(): void {
		this.#queriedAt = Number.NEGATIVE_INFINITY;
		this.quicken();
	}
}
