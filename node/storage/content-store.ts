import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import { type Bitfield, type Seed, ShoalError } from '../../protocol/index.ts';
import type { Storage } from './storage.ts';

/** The stored part of one content: all of it, or the chunks downloaded so far. */
export interface StoredContent {
	readonly seed: Seed;
	/** The chunks that are verified and stored. */
	readonly have: Bitfield;
	readonly storage: Storage;
}

/** Bytes of a content that are verified and stored. */
export function haveBytes({ seed, have }: StoredContent): number {
	const { chunks, chunkSize, length } = seed.layout;
	const missingOfLast = chunks * chunkSize - length;
	return have.count * chunkSize - (have.has(chunks - 1) ? missingOfLast : 0);
}

/** Events of {@link ContentStore}. */
export interface ContentStoreEvents {
	added(content: StoredContent): void;
	removed(content: StoredContent): void;
	gained(content: StoredContent, chunk: number): void;
}

/** All that this node has, by seed id: the contents that it announces and uploads. */
export class ContentStore {
	readonly #held = new Map<string, StoredContent>();
	readonly #since = new WeakMap<StoredContent, number>();
	readonly #events = createNanoEvents<ContentStoreEvents>();

	on<E extends keyof ContentStoreEvents>(event: E, handler: ContentStoreEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	get(seed: string): StoredContent | undefined {
		return this.#held.get(seed);
	}

	/** The time at which `content` was added, in ms since 1970; undefined if it never was. */
	since(content: StoredContent): number | undefined {
		return this.#since.get(content);
	}

	/** All contents. */
	all(): StoredContent[] {
		return [...this.#held.values()];
	}

	/** @throws ShoalError ERR_EXISTS if the seed is held already */
	add(content: StoredContent): void {
		if (this.#held.has(content.seed.id)) {
			throw new ShoalError('ERR_EXISTS', `this node has the seed ${content.seed.id} already`);
		}
		this.#held.set(content.seed.id, content);
		this.#since.set(content, this.#since.get(content) ?? Date.now());
		this.#events.emit('added', content);
	}

	/** Removes `content`; does nothing if it is not held. */
	remove(content: StoredContent): void {
		if (this.#held.get(content.seed.id) === content) {
			this.#held.delete(content.seed.id);
			this.#events.emit('removed', content);
		}
	}

	/**
	 * Marks `chunks` as missing, because their stored bytes have changed. Removes the content and
	 * adds it again, so that it is announced with the remaining chunks.
	 */
	lose(content: StoredContent, chunks: readonly number[]): void {
		this.remove(content);
		for (const chunk of chunks) {
			content.have.clear(chunk);
		}
		this.add(content);
	}

	/** Adds `chunk`, which is verified and stored. */
	gain(content: StoredContent, chunk: number): void {
		content.have.set(chunk);
		this.#events.emit('gained', content, chunk);
	}
}
