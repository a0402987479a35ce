import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import { Bitfield, isShoalError, type Seed, ShoalError } from '../../protocol/index.ts';
import { type MakeSeedOptions, makeStampedSeed } from '../hashing/make-seed.ts';
import type { SeedCache } from '../hashing/seed-cache.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import { FileStorage } from '../storage/file-storage.ts';
import { absolutePath } from '../storage/regular-file.ts';

/** The events of a {@link Share}. */
export interface ShareEvents {
	/** The file has changed: it is withdrawn and hashed again. */
	changed(): void;
	/** The content of the file is still the same: it is shared again. */
	restored(): void;
	/** The file is not shared any more: its content has changed, or it cannot be read. */
	ended(error: unknown): void;
}

/** A file that a node shares. */
export class Share {
	/** The seed of the file. */
	readonly seed: Seed;
	/** Absolute path of the file. */
	readonly path: string;
	readonly #contents: ContentStore;
	readonly #cache: SeedCache | undefined;
	readonly #events = createNanoEvents<ShareEvents>();
	#content: StoredContent;
	/** After a change of the file: resolves when it has been hashed again. */
	#hashing: Promise<void> = Promise.resolve();
	readonly #stopping = new AbortController();

	private constructor(
		contents: ContentStore,
		path: string,
		content: StoredContent,
		cache: SeedCache | undefined,
	) {
		this.#contents = contents;
		this.#cache = cache;
		this.path = path;
		this.seed = content.seed;
		this.#content = content;
	}

	/**
	 * Makes the seed of a file, and shares the file. {@link ShoalNode.share} calls this.
	 *
	 * @throws ShoalError as {@link makeSeed}, and ERR_EXISTS if this node has the seed already
	 * @internal
	 */
	static async start(
		contents: ContentStore,
		path: string,
		options: MakeSeedOptions = {},
	): Promise<Share> {
		const absolute = absolutePath(path);
		const content = await hash(absolute, options);
		try {
			contents.add(content);
		} catch (error) {
			await content.storage.close();
			throw error;
		}
		return new Share(contents, absolute, content, options.cache);
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof ShareEvents>(event: E, handler: ShareEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** Whether `content` belongs to this share. @internal */
	holds(content: StoredContent): boolean {
		return this.#content === content;
	}

	/**
	 * A read failed. If the file has changed, withdraws it and hashes it again; if it cannot be read,
	 * ends the share.
	 *
	 * @internal
	 */
	async onBroken(error: unknown): Promise<void> {
		await this.#release();
		if (!isShoalError(error, 'ERR_CHANGED')) {
			this.#events.emit('ended', error);
			return;
		}
		this.#events.emit('changed');
		this.#hashing = this.#hashAgain();
		await this.#hashing;
	}

	/** Stops sharing: withdraws the announce and closes the file. */
	async stop(): Promise<void> {
		this.#stopping.abort();
		await this.#hashing;
		await this.#release();
	}

	async #hashAgain(): Promise<void> {
		try {
			const { signal } = this.#stopping;
			const options = { name: this.seed.name, cache: this.#cache, signal };
			const again = await hash(this.path, options);
			if (again.seed.id !== this.seed.id) {
				await again.storage.close();
				throw new ShoalError('ERR_CHANGED', `${this.path} is another file now; share it anew`);
			}
			this.#content = again;
			await this.#restore();
		} catch (reason) {
			if (!this.#stopping.signal.aborted) {
				this.#events.emit('ended', reason);
			}
		}
	}

	/** Shares the file again, unless the share was stopped. @throws ShoalError ERR_EXISTS */
	async #restore(): Promise<void> {
		if (this.#stopping.signal.aborted) {
			await this.#content.storage.close();
			return;
		}
		try {
			this.#contents.add(this.#content);
		} catch (error) {
			await this.#content.storage.close();
			throw error;
		}
		this.#events.emit('restored');
	}

	async #release(): Promise<void> {
		this.#contents.remove(this.#content);
		await this.#content.storage.close();
	}
}

/**
 * Hashes a file, or takes its seed from the cache, and opens it. Every change of the file after its
 * first byte was read for the hash is detected.
 *
 * @throws as {@link makeSeed}
 */
async function hash(path: string, options: MakeSeedOptions): Promise<StoredContent> {
	const { seed, stamp } = await makeStampedSeed(path, options);
	const storage = await FileStorage.openToRead([{ path, length: seed.length }]);
	try {
		storage.guard(stamp);
		storage.check();
		return { seed, have: Bitfield.full(seed.chunks), storage };
	} catch (error) {
		await storage.close();
		throw error;
	}
}
