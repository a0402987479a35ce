import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import { type Bitfield, type Seed, ShoalError } from '../../protocol/index.ts';
import type { Storage } from './storage.ts';

/** What this node has of one seed: everything, or what it has downloaded so far. */
export interface Holding {
	readonly seed: Seed;
	/** The chunks that are verified and stored. */
	readonly have: Bitfield;
	readonly storage: Storage;
}

/** Bytes of a holding that are verified and stored. */
export function haveBytes({ seed, have }: Holding): number {
	const { chunks, chunkSize, length } = seed.layout;
	const missingOfLast = chunks * chunkSize - length;
	return have.count * chunkSize - (have.has(chunks - 1) ? missingOfLast : 0);
}

/** What {@link Holdings} tell. */
export interface HoldingsEvents {
	added(holding: Holding): void;
	removed(holding: Holding): void;
	gained(holding: Holding, chunk: number): void;
}

/** Everything this node has, by seed id: what it announces and serves. */
export class Holdings {
	readonly #held = new Map<string, Holding>();
	readonly #since = new WeakMap<Holding, number>();
	readonly #events = createNanoEvents<HoldingsEvents>();

	on<E extends keyof HoldingsEvents>(event: E, handler: HoldingsEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	get(seed: string): Holding | undefined {
		return this.#held.get(seed);
	}

	/** Since when `holding` is held, ms since 1970. */
	since(holding: Holding): number | undefined {
		return this.#since.get(holding);
	}

	/** All holdings. */
	all(): Holding[] {
		return [...this.#held.values()];
	}

	/** @throws ShoalError ERR_EXISTS if the seed is held already */
	add(holding: Holding): void {
		if (this.#held.has(holding.seed.id)) {
			throw new ShoalError('ERR_EXISTS', `this node has the seed ${holding.seed.id} already`);
		}
		this.#held.set(holding.seed.id, holding);
		this.#since.set(holding, this.#since.get(holding) ?? Date.now());
		this.#events.emit('added', holding);
	}

	/** Stops holding; nothing happens if it is not held. */
	remove(holding: Holding): void {
		if (this.#held.get(holding.seed.id) === holding) {
			this.#held.delete(holding.seed.id);
			this.#events.emit('removed', holding);
		}
	}

	/** Chunks are not what was stored: to others it is as if the rest had come just now. */
	lose(holding: Holding, chunks: readonly number[]): void {
		this.remove(holding);
		for (const chunk of chunks) {
			holding.have.clear(chunk);
		}
		this.add(holding);
	}

	/** `chunk` is verified and stored. */
	gain(holding: Holding, chunk: number): void {
		holding.have.set(chunk);
		this.#events.emit('gained', holding, chunk);
	}
}
