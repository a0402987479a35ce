import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import { type Bitfield, type Folder, type Seed, ShoalError } from '../../protocol/index.ts';
import type { Storage } from './storage.ts';

/** The stored part of one content: all of it, or the chunks downloaded so far. */
export interface StoredContent {
	readonly seed: Seed;
	/** The entries of the folder; undefined if the content is a file. */
	readonly folder?: Folder | undefined;
	/** The chunks that are verified and stored. */
	readonly have: Bitfield;
	/** The chunks to which this content is limited; undefined: all. */
	readonly selected?: SelectedChunks | undefined;
	readonly storage: Storage;
}

/** The chunks of some entries of a folder, if only these entries are wanted. */
export interface SelectedChunks {
	/** The paths of these entries. */
	readonly paths: ReadonlySet<string>;
	/** The chunks that have bytes of the entries. */
	readonly wanted: Bitfield;
	/** Those of which all bytes are kept: only they can be read, and shared. */
	readonly whole: Bitfield;
	/** Those whose wanted bytes are stored. */
	readonly stored: Bitfield;
}

/** Bytes of a content that are wanted, and those of them that are verified and stored. */
export function wantedBytes({ seed, have, selected }: StoredContent): {
	readonly have: number;
	readonly length: number;
} {
	const bytes = (chunks: Bitfield): number => bytesOf(seed, chunks);
	return selected === undefined
		? { have: bytes(have), length: seed.length }
		: { have: bytes(selected.stored), length: bytes(selected.wanted) };
}

/** Whether everything that is wanted of a content is stored. */
export function hasAllWanted({ have, selected }: StoredContent): boolean {
	return selected === undefined ? have.isFull : selected.stored.count === selected.wanted.count;
}

function bytesOf({ layout }: Seed, field: Bitfield): number {
	const { chunks, chunkSize, length } = layout;
	const missingOfLast = chunks * chunkSize - length;
	return field.count * chunkSize - (field.has(chunks - 1) ? missingOfLast : 0);
}

/** Events of {@link ContentStore}. */
export interface ContentStoreEvents {
	added(content: StoredContent): void;
	removed(content: StoredContent): void;
	/** An announce of a content is on the broker. */
	announced(content: StoredContent): void;
	/** A chunk is verified, and its wanted bytes are stored. */
	stored(content: StoredContent, chunk: number): void;
	/**
	 * A chunk of which all bytes are stored can be shared. `isFirst`: most likely, no other downloader
	 * has it yet.
	 */
	gained(content: StoredContent, chunk: number, isFirst: boolean): void;
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

	/** An announce of `content` is on the broker. */
	announced(content: StoredContent): void {
		this.#events.emit('announced', content);
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
			content.selected?.stored.clear(chunk);
		}
		this.add(content);
	}

	/**
	 * Adds `chunk`, which is verified and stored. Only a chunk of which all bytes are kept is shared.
	 * `isFirst`: most likely, no other downloader has it yet.
	 */
	gain(content: StoredContent, chunk: number, isFirst = false): void {
		content.selected?.stored.set(chunk);
		this.#events.emit('stored', content, chunk);
		if (content.selected?.whole.has(chunk) !== false) {
			content.have.set(chunk);
			this.#events.emit('gained', content, chunk, isFirst);
		}
	}
}
