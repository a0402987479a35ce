/**
 * ms between two queries of the tracker, at least and at most. The pause doubles with each query,
 * because a swarm changes fast only while it is new.
 */
const LEAST = 250;
const MOST = 10_000;
/** ms without a message from any peer, after which the tracker is asked for changes. */
export const SILENCE = 1_500;

/** Decides when the tracker is asked again for the nodes of a swarm. Times are ms. */
export class QueryPace {
	#queriedAt = Number.NEGATIVE_INFINITY;
	#pause = LEAST;

	/** @param heardAt when a message last arrived from any peer */
	isDue(now: number, heardAt: number): boolean {
		const most = now - heardAt >= SILENCE ? SILENCE : MOST;
		return now - this.#queriedAt >= Math.min(this.#pause, most);
	}

	/** The tracker is being asked. */
	queried(now: number): void {
		this.#queriedAt = now;
		this.#pause = Math.min(this.#pause * 2, MOST);
	}

	/** The next pauses are short again. */
	quicken(): void {
		this.#pause = LEAST;
	}

	/** A query is due at once, and the next pauses are short again. */
	restart(): void {
		this.#queriedAt = Number.NEGATIVE_INFINITY;
		this.quicken();
	}
}
