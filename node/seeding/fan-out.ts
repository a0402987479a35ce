/**
 * ms. Nodes that asked for a seed since then are subscribed to what is shared of it; and what was shared since
 * then may still be on its way, as it waits at the slowest subscriber's link.
 */
const RECENT = 5_000;

/** How a request is answered: to all subscribers, to the asker alone, or not, as it has been already. */
export type Delivery = 'shared' | 'private' | 'answered';

interface Subscriber {
	/** Since when it is subscribed. */
	since: number;
	askedAt: number;
}

interface Shared {
	readonly at: number;
	/** The nodes it has answered: one that asks again has lost it. */
	readonly answered: Set<string>;
}

/**
 * Decides which chunks a seeder sends once to all subscribers of a swarm: those of seeds that at least two
 * subscribers asked for a moment ago. A request for what was shared just before has crossed it on the way; a
 * node that asks again gets it alone, as it was lost for it. Times in ms by the given clock.
 */
export class FanOut {
	readonly #now: () => number;
	readonly #subscribers = new Map<string, Map<string, Subscriber>>();
	/** By seed and chunk, the oldest first. */
	readonly #shared = new Map<string, Shared>();

	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
	}

	/** `node` asks for chunks of `seed`, and says whether it is subscribed to its swarm. */
	asked(seed: string, node: string, isSubscribed: boolean): void {
		const now = this.#now();
		const subscribers = this.#subscribers.get(seed) ?? new Map<string, Subscriber>();
		this.#subscribers.set(seed, subscribers);
		for (const [each, { askedAt }] of subscribers) {
			if (now - askedAt > RECENT) {
				subscribers.delete(each);
			}
		}
		if (isSubscribed) {
			subscribers.set(node, { since: subscribers.get(node)?.since ?? now, askedAt: now });
		} else {
			subscribers.delete(node);
		}
	}

	/** Whether `node` hears what is shared of `seed`. */
	isSubscribed(seed: string, node: string): boolean {
		const subscriber = this.#subscribers.get(seed)?.get(node);
		return subscriber !== undefined && isRecent(subscriber, this.#now());
	}

	/** How the request of `node` for `chunk` is answered now. */
	deliveryOf(seed: string, node: string, chunk: number): Delivery {
		const now = this.#now();
		const subscribers = this.#subscribers.get(seed);
		const subscriber = subscribers?.get(node);
		if (subscribers === undefined || subscriber === undefined || !isRecent(subscriber, now)) {
			return 'private';
		}
		const shared = this.#shared.get(key(seed, chunk));
		if (shared !== undefined && now - shared.at <= RECENT && shared.at >= subscriber.since) {
			const isLost = shared.answered.has(node);
			shared.answered.add(node);
			return isLost ? 'private' : 'answered';
		}
		const recent = [...subscribers.values()].filter((each) => isRecent(each, now));
		return recent.length >= 2 ? 'shared' : 'private';
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

function isRecent({ askedAt }: Subscriber, now: number): boolean {
	return now - askedAt <= RECENT;
}

function key(seed: string, chunk: number): string {
	return `${seed} ${chunk}`;
}
