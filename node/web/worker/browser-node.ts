import { nanoid } from 'nanoid';
import { Bitfield, makeNodeId, type Seed, Topics } from '../../../protocol/index.ts';
import { BaseNode } from '../../base-node.ts';
import type { FetchOptions } from '../../download/download-manager.ts';
import type { DownloadResult } from '../../download/download-types.ts';
import type { StoredContent } from '../../storage/content-store.ts';
import { lostState } from '../../tracker/announcer.ts';
import { BlobStorage } from './blob-storage.ts';
import { digestChunk } from './hashes.ts';
import { type MakeSeedOptions, makeSeed } from './make-seed.ts';
import { MemoryBackings } from './memory-backing.ts';
import { hasFiles, openFile } from './opfs-backing.ts';
import { SerialQueue } from './serial-queue.ts';
import { onNoThread } from './threaded-hash.ts';
import { WebLink } from './web-link.ts';
import { WebTarget } from './web-target.ts';

/** Options of {@link BrowserNode.start}. */
export interface BrowserNodeOptions {
	/**
	 * URL of the broker: ws or wss. For `shoal broker` it has the port of its page and the path
	 * `/mqtt`.
	 */
	readonly url: string;
	/** The broker's token for nodes. @default none */
	readonly token?: string | undefined;
	/** A name for people, at most 32 characters; every client of the broker sees it. @default none */
	readonly name?: string | undefined;
	/**
	 * Called when the content of the seed `id` cannot be read any more; the node then stops sharing
	 * it. @default none
	 */
	readonly onBroken?: ((id: string, error: unknown) => void) | undefined;
}

/** A finished download: verified, with its content. */
export interface BrowserDownload extends Omit<DownloadResult, 'path' | 'wasThere'> {
	/** The content, which is read from a file of the browser or from memory. */
	readonly blob: Blob;
}

/**
 * A node in a browser. It shares and downloads files, and reaches other nodes through the broker
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
	 * Connects to the broker and publishes the node's state. @throws ShoalError ERR_BROKER, ERR_REFUSED, ERR_TIMEOUT,
	 * ERR_DISCONNECTED
	 */
	static async start({
		url,
		token = '',
		name,
		onBroken,
	}: BrowserNodeOptions): Promise<BrowserNode> {
		const topics = new Topics();
		const id = makeNodeId();
		const link = await WebLink.open({
			url,
			id,
			password: `${token}:${nanoid()}`,
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
		options.signal?.throwIfAborted();
		this.checkOpen();
		const storage = new BlobStorage(file, seed.name);
		this.context.contents.add({ seed, have: Bitfield.full(seed.chunks), storage });
		try {
			await this.announce(seed);
		} catch (error) {
			this.drop(seed.id);
			throw error;
		}
		return seed;
	}

	/**
	 * Downloads a content, and shares it meanwhile and afterwards, until it is dropped or the node is
	 * closed. If a download fails or is stopped, its chunks are kept until the content is dropped,
	 * and the next `get` fetches only the other chunks.
	 *
	 * @param what an id, a link or a name, as {@link resolve} takes it
	 * @throws ShoalError those of {@link resolve}, ERR_NOT_FOUND, ERR_NO_TRACKER, ERR_EXISTS if the
	 *   node or another tab has it, ERR_NO_SPACE, ERR_IO, ERR_NAME, ERR_SEED, ERR_SEED_LIES,
	 *   ERR_WRONG_BYTES, ERR_TIMEOUT, ERR_REFUSED, ERR_ABORTED, ERR_CLOSED
	 */
	async get(what: string, options: FetchOptions = {}): Promise<BrowserDownload> {
		const wanted = await this.requestOf(what, options);
		const inMemory = (seed: Seed) => this.#memory.open(seed);
		const target = new WebTarget((await hasFiles()) ? openFile : inMemory, this.#hashing);
		const { path: _, wasThere: __, ...result } = await this.downloads.get(wanted, target, options);
		this.#targets.set(wanted.id, target);
		return { ...result, blob: target.blob as Blob };
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
