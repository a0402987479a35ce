import { nanoid } from 'nanoid';
import { Bitfield, makeNodeId, type Seed, Topics } from '../../../protocol/index.ts';
import { BaseNode } from '../../base-node.ts';
import { downloadRequestOf, type FetchOptions } from '../../download/download-manager.ts';
import type { DownloadResult } from '../../download/download-types.ts';
import type { StoredContent } from '../../storage/content-store.ts';
import { lostState } from '../../tracker/announcer.ts';
import { BlobStorage } from './blob-storage.ts';
import { type MakeSeedOptions, makeSeed } from './make-seed.ts';
import { openMemory } from './memory-backing.ts';
import { hasFiles, openFile } from './opfs-backing.ts';
import { SerialQueue } from './serial-queue.ts';
import { WebLink } from './web-link.ts';
import { WebTarget } from './web-target.ts';

/** Options of {@link BrowserNode.start}. */
export interface BrowserNodeOptions {
	/** URL of the broker: ws or wss. That of `shoal broker` is `/mqtt` at the port of its page. */
	readonly url: string;
	/** What the broker lets nodes in with. @default none */
	readonly token?: string | undefined;
	/** What is shared under `id` cannot be read any more, and is not served. */
	readonly onBroken?: ((id: string, error: unknown) => void) | undefined;
}

/** A download that is done: verified, and where its bytes are. */
export interface BrowserDownload extends Omit<DownloadResult, 'path' | 'wasThere'> {
	/** The content. It is read from where it is: a file of the browser, or memory. */
	readonly blob: Blob;
}

/**
 * A node in a browser. It shares files, and reaches others through the broker only. In a worker of a page that came
 * over TLS, or from this machine, downloads go into files of the browser, of any size, and go on after a reload;
 * elsewhere they are held in memory, up to 500 MiB each.
 */
export class BrowserNode extends BaseNode {
	readonly #targets = new Map<string, WebTarget>();
	/** Hashing of files, and of what is there already: more at a time would only take memory. */
	readonly #hashing = new SerialQueue();
	#broken: NonNullable<BrowserNodeOptions['onBroken']> = () => {};

	/** Connects and says hello. @throws ShoalError ERR_BROKER, ERR_REFUSED */
	static async start({ url, token = '', onBroken }: BrowserNodeOptions): Promise<BrowserNode> {
		const topics = new Topics();
		const id = makeNodeId();
		const link = await WebLink.open({
			url,
			id,
			password: `${token}:${nanoid()}`,
			will: (session) => ({ topic: topics.nodeState(id), payload: lostState(session) }),
		});
		const node = new BrowserNode(link, topics, { dial: undefined, lane: 'broker' });
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
	 * Makes the seed of a file, and serves it until it is dropped or the node closed.
	 *
	 * @throws ShoalError ERR_NAME, ERR_CHANGED, ERR_IO, ERR_EXISTS if the node has it already, ERR_LIMIT if the tracker
	 *   does not list it, ERR_CLOSED
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
	 * Downloads a content, and serves it meanwhile and afterwards, until it is dropped.
	 *
	 * @param what a seed id, or a link
	 * @throws ShoalError as {@link Download.run}, ERR_ID, ERR_LINK, and ERR_EXISTS if another tab has it
	 */
	async get(what: string, options: FetchOptions = {}): Promise<BrowserDownload> {
		this.checkOpen();
		const wanted = downloadRequestOf(what);
		const target = new WebTarget((await hasFiles()) ? openFile : openMemory, this.#hashing);
		const { path: _, wasThere: __, ...result } = await this.downloads.get(wanted, target, options);
		this.#targets.set(wanted.id, target);
		return { ...result, blob: target.blob as Blob };
	}

	/** Serves a content no longer, and gives its memory back. What is in a file of the browser stays. */
	drop(id: string): void {
		const content = this.context.contents.get(id);
		if (content !== undefined) {
			this.context.contents.remove(content);
			void content.storage.close();
		}
		this.#targets.get(id)?.release();
		this.#targets.delete(id);
	}

	protected override onBroken({ seed }: StoredContent, error: unknown): void {
		// It may be got again.
		this.#targets.get(seed.id)?.release();
		this.#targets.delete(seed.id);
		this.#broken(seed.id, error);
	}
}
