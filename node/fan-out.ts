/** Who asked for a seed within so many ms listens to what is shared of it. */
const RECENT = 1_000;
/** A request that comes so many ms after its chunk was shared has crossed it on the way. */
const CROSSING = 300;

/** How a wish is answered: to all who listen, to who asked alone, or not, as it has been already. */
export type Lane = 'shared' | 'private' | 'answered';

interface Listener {
	/** Since when it listens. */
	since: number;
	askedAt: number;
}

/**
 * Decides which chunks a seeder sends once to all who listen: those of seeds that at least two
 * listeners asked for within the last second. Who asks again for what was shared a moment ago gets
 * it alone, as it was lost for it. Times in ms by the given clock.
 */
export class FanOut {
	readonly #now: () => number;
	readonly #listeners = new Map<string, Map<string, Listener>>();
	/** By seed and chunk, the oldest first: when it was shared. */
	readonly #shared = new Map<string, number>();

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
	laneFor(seed: string, node: string, chunk: number): Lane {
		const now = this.#now();
		const listeners = this.#listeners.get(seed);
		const listener = listeners?.get(node);
		if (listeners === undefined || listener === undefined || !isRecent(listener, now)) {
			return 'private';
		}
		const sharedAt = this.#shared.get(key(seed, chunk));
		if (sharedAt !== undefined && now - sharedAt <= RECENT && sharedAt >= listener.since) {
			return now - sharedAt <= CROSSING ? 'answered' : 'private';
		}
		const hearing = [...listeners.values()].filter((each) => isRecent(each, now));
		return hearing.length >= 2 ? 'shared' : 'private';
	}

	/** The chunks from `first` to `last` are shared now. */
	shared(seed: string, first: number, last: number): void {
		const now = this.#now();
		for (const [each, at] of this.#shared) {
			if (now - at <= RECENT) {
				break;
			}
			this.#shared.delete(each);
		}
		for (let chunk = first; chunk <= last; chunk += 1) {
			this.#shared.delete(key(seed, chunk));
			this.#shared.set(key(seed, chunk), now);
		}
	}
}

function isRecent({ askedAt }: Listener, now: number): boolean {
	return now - askedAt <= RECENT;
}

function key(seed: string, chunk: number): string {
	return `${seed} ${chunk}`;
}
