import { stat } from 'node:fs/promises';
import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import {
	Bitfield,
	type Folder,
	isShoalError,
	type Seed,
	ShoalError,
} from '../../protocol/index.ts';
import { type MakeFolderOptions, makeFolder } from '../hashing/folder/make-folder.ts';
import { type MakeSeedOptions, makeStampedSeed } from '../hashing/make-seed.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import { FileStorage } from '../storage/file-storage.ts';
import { FolderStorage } from '../storage/folder/folder-storage.ts';
import { onFile } from '../storage/fs-error.ts';
import { absolutePath } from '../storage/regular-file.ts';
import { Once } from '../util/once.ts';

/** Options of {@link ShoalNode.share}. */
export type ShareOptions = MakeSeedOptions & MakeFolderOptions;

/** The events of a {@link Share}. */
export interface ShareEvents {
	/** The file or folder has changed, as `error` says: it is withdrawn and hashed again. */
	changed(error: unknown): void;
	/** The content is still the same: it is shared again. */
	restored(): void;
	/** It is not shared any more: its content has changed, or it cannot be read. */
	ended(error: unknown): void;
}

/** A file or folder that a node shares. */
export class Share {
	/** The seed of the file or folder. */
	readonly seed: Seed;
	/** Absolute path. */
	readonly path: string;
	readonly #contents: ContentStore;
	readonly #options: ShareOptions;
	readonly #events = createNanoEvents<ShareEvents>();
	#content: StoredContent;
	/** After a change of the file: resolves when it has been hashed again. */
	#hashing: Promise<void> = Promise.resolve();
	readonly #stopping = new AbortController();
	readonly #stop = new Once();

	private constructor(
		contents: ContentStore,
		path: string,
		content: StoredContent,
		options: ShareOptions,
	) {
		this.#contents = contents;
		this.#options = options;
		this.path = path;
		this.seed = content.seed;
		this.#content = content;
	}

	/**
	 * Makes the seed of a file or folder, and shares it. {@link ShoalNode.share} calls this.
	 *
	 * @throws ShoalError as {@link makeSeed} and {@link makeFolder}, and ERR_EXISTS if this node has the seed already
	 * @internal
	 */
	static async start(
		contents: ContentStore,
		path: string,
		options: ShareOptions = {},
	): Promise<Share> {
		const absolute = absolutePath(path);
		const content = await hash(absolute, options);
		try {
			contents.add(content);
		} catch (error) {
			await content.storage.close();
			throw error;
		}
		return new Share(contents, absolute, content, options);
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof ShareEvents>(event: E, handler: ShareEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** Whether `content` belongs to this share. @internal */
	holds(content: StoredContent): boolean {
		return this.#content === content;
	}

	/** Whether it is one of `contents` now. @internal */
	isIn(contents: ContentStore): boolean {
		return !this.#stopping.signal.aborted && contents.get(this.seed.id) === this.#content;
	}

	/** Whether the file or folder has not changed. @internal */
	isUnchanged(): boolean {
		try {
			this.#content.storage.check();
			return true;
		} catch {
			return false;
		}
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
			this.#end(error);
			return;
		}
		this.#events.emit('changed', error);
		this.#hashing = this.#hashAgain();
		await this.#hashing;
	}

	/** The number of files, if it is a folder. */
	get files(): number | undefined {
		return this.#content.folder?.files;
	}

	/** The entries, if it is a folder. @internal */
	get folder(): Folder | undefined {
		return this.#content.folder;
	}

	/** Resolves when the share was stopped or has ended, and its files are closed. @internal */
	get over(): Promise<void> {
		return this.#stop.ended;
	}

	/** Stops sharing: withdraws the announce and closes the files. */
	stop(): Promise<void> {
		return this.#stop.run(async () => {
			this.#stopping.abort();
			await this.#hashing;
			await this.#release();
		});
	}

	#end(error: unknown): void {
		this.#events.emit('ended', error);
		this.stop().catch(() => {});
	}

	async #hashAgain(): Promise<void> {
		try {
			const { signal } = this.#stopping;
			const { cache, exclude, skipOdd } = this.#options;
			const again = await hash(this.path, {
				name: this.seed.name,
				cache,
				exclude,
				skipOdd,
				signal,
			});
			if (again.seed.id !== this.seed.id) {
				await again.storage.close();
				throw new ShoalError('ERR_CHANGED', `${this.path} has another content now; share it anew`);
			}
			this.#content = again;
			await this.#restore();
		} catch (reason) {
			if (!this.#stopping.signal.aborted) {
				this.#end(reason);
			}
		}
	}

	/** Shares the content again, unless the share was stopped. @throws ShoalError ERR_EXISTS */
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
 * Hashes a file or folder, or takes its seed from the cache, and opens it. Every change after its
 * first byte was read for the hash is detected.
 *
 * @throws as {@link makeSeed} and {@link makeFolder}
 */
async function hash(path: string, options: ShareOptions): Promise<StoredContent> {
	const isFolder = (await onFile(path, () => stat(path))).isDirectory();
	return isFolder ? await openFolder(path, options) : await openFile(path, options);
}

async function openFolder(path: string, options: MakeFolderOptions): Promise<StoredContent> {
	const { seed, folder, location, stamps } = await makeFolder(path, options);
	const storage = new FolderStorage(location, folder, stamps);
	return { seed, folder, have: Bitfield.full(seed.chunks), storage };
}

async function openFile(path: string, options: MakeSeedOptions): Promise<StoredContent> {
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
