import { nanoid } from 'nanoid';
import { Bitfield, makeNodeId, type Seed, Topics } from '../../../protocol/index.ts';
import { CoreNode } from '../../core-node.ts';
import type { DownloadResult } from '../../download-options.ts';
import type { FetchOptions, Wanted } from '../../downloads.ts';
import type { Holding } from '../../holdings.ts';
import { lostState } from '../../presence.ts';
import { BlobStorage } from './blob-storage.ts';
import { digestChunk } from './hashes.ts';
import { WebLink } from './web-link.ts';
import type { WebTarget } from './web-target.ts';

/** What a {@link BrowserNode} needs. */
export interface BrowserNodeOptions {
	/** URL of the broker: ws or wss. */
	readonly url: string;
	readonly token: string;
	/** What is shared under `id` cannot be read any more. */
	readonly onBroken: (id: string, error: unknown) => void;
}

/** A node in a browser: it shares blobs, and reaches others through the broker only. */
export class BrowserNode extends CoreNode {
	#broken: BrowserNodeOptions['onBroken'] = () => {};

	/** Connects and says hello. @throws ShoalError ERR_BROKER, ERR_REFUSED */
	static async start({ url, token, onBroken }: BrowserNodeOptions): Promise<BrowserNode> {
		const topics = new Topics();
		const id = makeNodeId();
		const link = await WebLink.open({
			url,
			id,
			password: `${token}:${nanoid()}`,
			will: (session) => ({ topic: topics.nodeState(id), payload: lostState(session) }),
		});
		const platform = { digest: digestChunk, dial: undefined };
		const node = new BrowserNode(link, topics, { platform, lane: 'broker' });
		node.#broken = onBroken;
		try {
			await node.subscribe();
			await node.join();
			return node;
		} catch (error) {
			await node.close();
			throw error;
		}
	}

	/** Serves a blob whose seed is known. @throws ShoalError ERR_EXISTS */
	async share(seed: Seed, blob: Blob): Promise<void> {
		const storage = new BlobStorage(blob, seed.name);
		this.context.holdings.add({ seed, have: Bitfield.full(seed.chunks), storage });
		await this.announce();
	}

	/** Downloads what `wanted` names, and serves it meanwhile and afterwards. @throws ShoalError */
	async get(wanted: Wanted, target: WebTarget, options: FetchOptions): Promise<DownloadResult> {
		return await this.downloads.get(wanted, target, options);
	}

	/** Serves a content no longer. */
	drop(id: string): void {
		const holding = this.context.holdings.get(id);
		if (holding !== undefined) {
			this.context.holdings.remove(holding);
			void holding.storage.close();
		}
	}

	protected override onBroken({ seed }: Holding, error: unknown): void {
		this.#broken(seed.id, error);
	}
}
