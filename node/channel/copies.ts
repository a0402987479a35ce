/** Copies of a document that are enough to outlive a publisher and a broker (as k in RFC 6206). */
const ENOUGH = 3;
/** ms after which a node publishes a copy, at the least and at the most. */
const SOONEST = 2_000;
const LATEST = 20_000;

/**
 * Decides when a node publishes a copy of the newest document of a channel: after a random time, and
 * only if fewer than three senders have it by then. So a broker that forgets gets the document back,
 * and a thousand followers do not all send it.
 */
export class Copies {
	readonly #me: string;
	readonly #random: () => number;
	/** The senders that have the newest document. */
	readonly #senders = new Set<string>();
	#dueAt: number | undefined;

	/**
	 * @param me node id
	 * @param random returns a number from 0 to 1
	 */
	constructor(me: string, random: () => number) {
		this.#me = me;
		this.#random = random;
	}

	/**
	 * Begins again. To be called for a newer document, and for a new connection, because the broker
	 * may have forgotten all.
	 */
	restart(now: number): void {
		this.#senders.clear();
		this.#dueAt = now + SOONEST + this.#random() * (LATEST - SOONEST);
	}

	/** Counts `from` as a sender that has the newest document. */
	heard(from: string): void {
		this.#senders.add(from);
	}

	/** When to call {@link decide}, by the clock of `restart`; undefined: not at all. */
	get dueAt(): number | undefined {
		return this.#dueAt;
	}

	/**
	 * Decides about a copy; to be called at {@link dueAt}. `publish`: this node has to publish a
	 * copy. `clear`: other nodes have published enough copies, so an older copy of this node is not
	 * needed. `keep`: this node has published a copy already.
	 */
	decide(): 'publish' | 'clear' | 'keep' {
		this.#dueAt = undefined;
		if (this.#senders.has(this.#me)) {
			return 'keep';
		}
		return this.#senders.size < ENOUGH ? 'publish' : 'clear';
	}
}
