/** ms for which the first node that has asked for a seed is expected to have a part of it. */
const WITHIN = 3_000;
/** Most seeds that are remembered; more: the oldest are forgotten. */
const MOST = 1_000;

interface First {
	readonly node: string;
	/** By the clock of the caller. */
	readonly at: number;
}

/**
 * The nodes that were first to ask for a seed that only one node has. When many nodes learn of a new
 * seed at the same moment, the others can wait until the first one has it, and get it from there.
 */
export class FirstAskers {
	readonly #first = new Map<string, First>();

	/**
	 * Whether another node has asked for `seed` within the last three seconds. Otherwise `asker` is
	 * the first one from now on.
	 */
	isOther(seed: string, asker: string, now: number): boolean {
		const first = this.#first.get(seed);
		if (first !== undefined && now - first.at < WITHIN) {
			return first.node !== asker;
		}
		this.#first.delete(seed);
		this.#first.set(seed, { node: asker, at: now });
		if (this.#first.size > MOST) {
			const [oldest = ''] = this.#first.keys();
			this.#first.delete(oldest);
		}
		return false;
	}
}
