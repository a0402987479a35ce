/**
 * ms. Who asked for a seed since then listens to what is shared of it; and what was shared since then may
 * still be on its way, as it waits at the narrow link of whoever is slowest.
 */
const RECENT = 5_000;

/** How a wish is answered: to all who listen, to who asked alone, or not, as it has been already. */
export type Delivery = 'shared' | 'private' | 'answered';

interface Listener {
	/** Since when it listens. */
	since: number;
	askedAt: number;
}

interface Shared {
	readonly at: number;
	/** Whose wish it has answered: who asks again has lost it. */
	readonly answered: Set<string>;
}

/**
 * Decides which chunks a seeder sends once to all who listen: those of seeds that at least two
 * listeners asked for a moment ago. A wish for what was shared just before has crossed it on the way; who
 * asks again gets it alone, as it was lost for it. Times in ms by the given clock.
 */
export class FanOut {
	readonly #now: () => number;
	readonly #listeners = new Map<string, Map<string, Listener>>();
	/** By seed and chunk, the oldest first. */
	readonly #shared = new Map<string, Shared>();

	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
	}

	/** `node` asks for chunks of `seed`, and says whether it listens. */
	asked(seed: string, node: string, isListening: boolean): void {
		const now = this.#now();
		const listeners = this.#listeners.get(seed) ?? new Map<string, Listener>();
		this.#listeners.set(seed, listeners);
		for (const [each, { askedAt }] of listeners) {
			if (now - askedAt > RECENT) {
				listeners.delete(each);
			}
		}
		if (isListening) {
			listeners.set(node, { since: listeners.get(node)?.since ?? now, askedAt: now });
		} else {
			listeners.delete(node);
		}
	}

	/** Whether `node` hears what is shared of `seed`. */
	isListening(seed: string, node: string): boolean {
		const listener = this.#listeners.get(seed)?.get(node);
		return listener !== undefined && isRecent(listener, this.#now());
	}

	/** How the wish of `node` for `chunk` is answered now. */
	deliveryOf(seed: string, node: string, chunk: number): Delivery {
		const now = this.#now();
		const listeners = this.#listeners.get(seed);
		const listener = listeners?.get(node);
		if (listeners === undefined || listener === undefined || !isRecent(listener, now)) {
			return 'private';
		}
		const shared = this.#shared.get(key(seed, chunk));
		if (shared !== undefined && now - shared.at <= RECENT && shared.at >= listener.since) {
			const isLost = shared.answered.has(node);
			shared.answered.add(node);
			return isLost ? 'private' : 'answered';
		}
		const hearing = [...listeners.values()].filter((each) => isRecent(each, now));
		return hearing.length >= 2 ? 'shared' : 'private';
	}

	/** The chunks from `first` to `last` are shared now, as `node` asked for them. */
	shared(seed: string, node: string, first: number, last: number): void {
		const now = this.#now();
		for (const [each, { at }] of this.#shared) {
			if (now - at <= RECENT) {
				break;
			}
			this.#shared.delete(each);
		}
		for (let chunk = first; chunk <= last; chunk += 1) {
			this.#shared.delete(key(seed, chunk));
			this.#shared.set(key(seed, chunk), { at: now, answered: new Set([node]) });
		}
	}
}

function isRecent({ askedAt }: Listener, now: number): boolean {
	return now - askedAt <= RECENT;
}

function key(seed: string, chunk: number): string {
	return `${seed} ${chunk}`;
}
