import { nanoid } from 'nanoid';
import {
	Bitfield,
	type BrokerAddress,
	type FolderEntry,
	linkBrokers,
	makeNodeId,
	type Seed,
	Topics,
} from '../../../protocol/index.ts';
import { BaseNode } from '../../base-node.ts';
import type { FetchOptions } from '../../download/download-manager.ts';
import type { DownloadResult } from '../../download/download-types.ts';
import type { StoredContent } from '../../storage/content-store.ts';
import { lostState } from '../../tracker/announcer.ts';
import type { LocalFolder } from '../local-folder.ts';
import { BlobStorage } from './blob-storage.ts';
import { DownloadedFolder } from './downloaded-folder.ts';
import { digestChunk } from './hashes.ts';
import { IndexTarget, readFolder } from './index-target.ts';
import { type MakeSeedOptions, makeSeed } from './make-seed.ts';
import { MemoryBackings } from './memory-backing.ts';
import { openFile } from './opfs-backing.ts';
import { hasFiles } from './opfs-files.ts';
import { SerialQueue } from './serial-queue.ts';
import { onNoThread } from './threaded-hash.ts';
import { WebLink } from './web-link.ts';
import { type WebContent, WebTarget } from './web-target.ts';

/** Options of {@link BrowserNode.start}. */
export interface BrowserNodeOptions {
	/**
	 * URL of the broker: ws or wss. For `shoal broker` it has the port of its page and the path
	 * `/mqtt`. Or the brokers of one cluster, at most 16: when the broker in use cannot be reached any
	 * more, the next one of the list is used. A browser cannot check the fingerprint of a certificate.
	 */
	readonly url: string | readonly (string | Omit<BrokerAddress, 'cert'>)[];
	/** The broker's token for nodes; with a list, for all of its brokers without a token of their own. @default none */
	readonly token?: string | undefined;
	/** A name for people, at most 32 characters; every client of the broker sees it. @default none */
	readonly name?: string | undefined;
	/**
	 * Called when the content of the seed `id` cannot be read any more; the node then stops sharing
	 * it. @default none
	 */
	readonly onBroken?: ((id: string, error: unknown) => void) | undefined;
}

/** Options of {@link BrowserNode.get}. */
export interface BrowserGetOptions extends FetchOptions {
	/** The paths of the files of a folder to download. @default all */
	readonly paths?: readonly string[] | undefined;
}

/** A finished download: verified, with its content. */
export interface BrowserDownload extends Omit<DownloadResult, 'path' | 'wasThere'> {
	/**
	 * The content of a file, which is read from a file of the browser or from memory; empty if it is
	 * a folder.
	 */
	readonly blob: Blob;
	/** The files of the folder; undefined if it is a file. */
	readonly folder?: DownloadedFolder | undefined;
}

/**
 * A node in a browser. It shares and downloads files and folders, and reaches other nodes through the broker
 * only. In a worker of a page that was loaded over TLS, or from this machine, downloads are stored
 * in files of the browser: they may have any size, and resume after a reload. Elsewhere they are
 * held in memory, up to 500 MiB each.
 */
export class BrowserNode extends BaseNode {
	readonly #targets = new Map<string, WebTarget>();
	readonly #memory = new MemoryBackings();
	/**
	 * The queue for hashing files, and chunks that were stored earlier: hashing several at a time
	 * would only take more memory.
	 */
	readonly #hashing = new SerialQueue();
	#broken: NonNullable<BrowserNodeOptions['onBroken']> = () => {};
	readonly #noThread = onNoThread((error) => this.context.warn(error));

	/**
	 * Connects to the broker, or to the first of a list that can be reached, and publishes the node's state.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED; ERR_USAGE, ERR_LINK for a list that
	 *   cannot be used
	 */
	static async start({ url, token, name, onBroken }: BrowserNodeOptions): Promise<BrowserNode> {
		const topics = new Topics();
		const id = makeNodeId();
		const link = await WebLink.open({
			...linkBrokers(url, { token, secret: nanoid(), streamTo: () => undefined }),
			id,
			will: (session) => ({ topic: topics.nodeState(id), payload: lostState(session) }),
		});
		const node = new BrowserNode(link, topics, {
			dial: undefined,
			lane: 'broker',
			digestChunk,
			name,
		});
		node.#broken = onBroken ?? node.#broken;
		try {
			await node.subscribe();
			await node.join();
			return node;
		} catch (error) {
			await node.close();
			throw error;
		}
	}

	/**
	 * Makes the seed of a file, and shares the file until it is dropped or the node is closed.
	 *
	 * @throws ShoalError ERR_NAME, ERR_CHANGED, ERR_IO, ERR_EXISTS if the node has it already,
	 *   ERR_LIMIT if the tracker does not list it, ERR_CLOSED
	 */
	async share(file: File, options: MakeSeedOptions = {}): Promise<Seed> {
		const seed = await this.#hashing.run(() => makeSeed(file, options));
		const storage = new BlobStorage([{ offset: 0, blob: file, name: seed.name }]);
		await this.#hold({ seed, have: Bitfield.full(seed.chunks), storage }, options);
		return seed;
	}

	/**
	 * Makes the seed of a folder, and shares the folder until it is dropped or the node is closed.
	 * A browser sees neither links nor permissions: the id can differ from that of the same folder on
	 * Linux.
	 *
	 * @throws ShoalError as {@link share}, ERR_SEED if something in the folder cannot be shared,
	 *   ERR_LIMIT also if there is too much in it
	 */
	async shareFolder(local: LocalFolder, options: MakeSeedOptions = {}): Promise<Seed> {
		const { makeFolder } = await import('./make-folder.ts');
		const made = await this.#hashing.run(() => makeFolder(local, options));
		await this.#hold({ ...made, have: Bitfield.full(made.seed.chunks) }, options);
		return made.seed;
	}

	/**
	 * Downloads a content, and shares it meanwhile and afterwards, until it is dropped or the node is
	 * closed. If a download fails or is stopped, its chunks are kept until the content is dropped,
	 * and the next `get` fetches only the other chunks. If the node has some files of a folder, the
	 * next `get` can name other files.
	 *
	 * @param what an id, a link or a name, as {@link resolve} takes it
	 * @throws ShoalError those of {@link resolve}, ERR_NOT_FOUND, ERR_NO_TRACKER, ERR_EXISTS if the
	 *   node or another tab has it, ERR_NO_SPACE, ERR_IO, ERR_NAME, ERR_SEED, ERR_SEED_LIES,
	 *   ERR_WRONG_BYTES, ERR_TIMEOUT, ERR_REFUSED, ERR_ABORTED, ERR_CLOSED, ERR_USAGE if paths are given
	 *   for a file
	 */
	async get(what: string, options: BrowserGetOptions = {}): Promise<BrowserDownload> {
		const wanted = await this.requestOf(what, options);
		const paths = options.paths && new Set(options.paths);
		const open = (await hasFiles()) ? openFile : (seed: Seed) => this.#memory.open(seed);
		const target = new WebTarget(open, this.#hashing, paths);
		const request = { ...wanted, seed: this.#dropPart(wanted.id) ?? wanted.seed };
		const { path: _, wasThere: __, ...result } = await this.downloads.get(request, target, options);
		this.#targets.set(wanted.id, target);
		const content = target.content as WebContent;
		return content.folder === undefined
			? { ...result, blob: content.storage.slice(0, result.seed.length) }
			: { ...result, blob: new Blob(), folder: new DownloadedFolder(content, paths) };
	}

	/**
	 * The entries of a folder, in the order of its index. Only the index is fetched.
	 *
	 * @param what as in {@link get}
	 * @throws ShoalError ERR_FOLDER if it is a file, ERR_SEED if the index is not safe, and those of
	 *   {@link get}
	 */
	async list(
		what: string,
		{ wait, signal }: Pick<FetchOptions, 'wait' | 'signal'> = {},
	): Promise<{ readonly seed: Seed; readonly entries: readonly FolderEntry[] }> {
		const wanted = await this.requestOf(what, { wait, signal });
		const reader = { signal: signal ?? new AbortController().signal };
		const target = (): IndexTarget => new IndexTarget();
		const source = await this.downloads.find(wanted, reader, {
			wait,
			onProgress: () => {},
			target,
		});
		try {
			const { entries } = await readFolder(source);
			return { seed: source.content.seed, entries };
		} finally {
			await source.leave();
		}
	}

	/**
	 * Drops the connection because the page is frozen and cannot answer: the broker publishes the node as lost. The node
	 * connects again as soon as the page runs.
	 */
	suspend(): void {
		this.context.link.drop();
	}

	/**
	 * Withdraws all announces and publishes the state `disconnected`, without waiting for anything,
	 * because the page ends. Closes the node afterwards.
	 */
	leave(): void {
		this.sayGoodbye();
	}

	/**
	 * Stops sharing a content and frees its memory. A file of the browser stays;
	 * {@link forgetContent} removes it.
	 */
	drop(id: string): void {
		const content = this.context.contents.get(id);
		if (content !== undefined) {
			this.context.contents.remove(content);
			void content.storage.close();
		}
		this.#targets.get(id)?.release();
		this.#targets.delete(id);
		this.#memory.forget(id);
	}

	/** Adds what was hashed to the contents of the node, and announces it. */
	async #hold(content: StoredContent, { signal }: MakeSeedOptions): Promise<void> {
		signal?.throwIfAborted();
		this.checkOpen();
		this.context.contents.add(content);
		try {
			await this.announce(content.seed);
			signal?.throwIfAborted();
		} catch (error) {
			this.drop(content.seed.id);
			throw error;
		}
	}

	/**
	 * Closes a content of which the node has only some files, so that it can be opened again.
	 *
	 * @returns its seed; undefined if the node has no such content
	 */
	#dropPart(id: string): Seed | undefined {
		const content = this.context.contents.get(id);
		if (content?.selected === undefined || this.downloads.running(id) !== undefined) {
			return undefined;
		}
		this.context.contents.remove(content);
		void content.storage.close();
		this.#targets.get(id)?.release();
		this.#targets.delete(id);
		return content.seed;
	}

	protected override async release(): Promise<void> {
		this.#noThread();
	}

	protected override onBroken({ seed }: StoredContent, error: unknown): void {
		// The content may be downloaded again.
		this.#targets.get(seed.id)?.release();
		this.#targets.delete(seed.id);
		this.#memory.forget(seed.id);
		this.#broken(seed.id, error);
	}
}
