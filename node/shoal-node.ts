import { nanoid } from 'nanoid';
import { fingerprintOf, makeCertificate } from '../broker/index.ts';
import {
	type Incoming,
	isSecureUrl,
	Link,
	makeNodeId,
	parseNodeId,
	type Seed,
	Topics,
} from '../protocol/index.ts';
import { BaseNode } from './base-node.ts';
import { downloadRequestOf, type FetchOptions } from './download/download-manager.ts';
import type { DownloadResult } from './download/download-types.ts';
import { FileTarget } from './download/target/file-target.ts';
import type { Verified } from './download/target/target.ts';
import { TemporaryTarget } from './download/target/temporary-target.ts';
import type { MakeSeedOptions } from './hashing/make-seed.ts';
import { dial } from './lanes/dial.ts';
import { addressesOf, listen } from './lanes/listen.ts';
import { brokerStream } from './lanes/transport/broker-stream.ts';
import type { ShoalNodeOptions } from './node-options.ts';
import { Share } from './seeding/shared-file.ts';
import type { StoredContent } from './storage/content-store.ts';
import { checkRange } from './streaming/content-range.ts';
import { ContentStream, type StreamOptions } from './streaming/content-stream.ts';
import { lostState } from './tracker/announcer.ts';

/** Options of {@link ShoalNode.share}: those of its seed. */
export type ShareOptions = MakeSeedOptions;

/** Options of {@link ShoalNode.get}. */
export interface GetOptions extends FetchOptions {
	/** A file, or a folder that exists. @default the working folder */
	readonly output?: string | undefined;
	/**
	 * `chunks` leaves out the digest of the whole: faster, and each chunk is verified all the same, but what an earlier
	 * download has recorded is believed. @default 'whole'
	 */
	readonly check?: Verified | undefined;
}

/** A running peer: shares files and downloads at the same time, over one broker. */
export class ShoalNode extends BaseNode {
	readonly #shares = new Set<Share>();

	/**
	 * Connects and says hello.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_REFUSED, ERR_ID_TAKEN, ERR_ID, ERR_USAGE
	 */
	static async start(options: ShoalNodeOptions = {}): Promise<ShoalNode> {
		const topics = new Topics(options.root);
		const id = options.id === undefined ? makeNodeId() : parseNodeId(options.id);
		const url = options.broker ?? 'mqtt://127.0.0.1:1883';
		const link = await Link.open({
			url,
			id,
			openStream: brokerStream(url, options.cert),
			password: `${options.token ?? ''}:${options.secret ?? nanoid()}`,
			will: (session) => ({ topic: topics.nodeState(id), payload: lostState(session) }),
		});
		try {
			const node = new ShoalNode(link, topics, { ...options, dial });
			await node.subscribe();
			await node.#listen(options);
			await node.join();
			return node;
		} catch (error) {
			await link.close();
			throw error;
		}
	}

	/**
	 * Makes the seed of a file, announces it, and serves it until the share is stopped or the node
	 * closed. Resolves when the broker has the announce, if there is a connection.
	 *
	 * @throws ShoalError ERR_FOLDER, ERR_NAME, ERR_NO_FILE, ERR_PERMISSION, ERR_CHANGED, ERR_EXISTS,
	 *   ERR_IO, ERR_ABORTED, ERR_CLOSED, ERR_LIMIT if the tracker does not list it
	 */
	async share(path: string, options: ShareOptions = {}): Promise<Share> {
		this.checkOpen();
		const share = await Share.start(this.context.contents, path, options);
		this.#shares.add(share);
		if (this.isClosed) {
			await share.stop();
			this.checkOpen();
		}
		try {
			await this.announce(share.seed);
		} catch (error) {
			this.#shares.delete(share);
			await share.stop();
			throw error;
		}
		return share;
	}

	/**
	 * Downloads a file and serves what is there of it meanwhile, and all of it afterwards.
	 *
	 * @param what a seed id, a link, or a seed
	 * @throws ShoalError as {@link Download.run}, and ERR_ID, ERR_LINK
	 */
	async get(what: string | Seed, options: GetOptions = {}): Promise<DownloadResult> {
		this.checkOpen();
		return await this.downloads.get(
			downloadRequestOf(what),
			new FileTarget(options.output, options.check),
			options,
		);
	}

	/**
	 * The bytes of a file, or a range of them, in order, fetched while they are read: what is needed
	 * first comes first, and what is not read is not fetched. Any number of ranges at a time, also of
	 * what this node shares, has or is getting. Of all of a file the digest is checked before the
	 * stream ends, and one that ends with an error is not to be trusted; of a range that of each chunk.
	 *
	 * The stream ends with the errors of {@link get}, ERR_RANGE, ERR_NO_SPACE if what is read cannot be
	 * laid down, and ERR_SEED_LIES.
	 *
	 * @throws ShoalError ERR_CLOSED
	 */
	stream(what: string | Seed, options: StreamOptions = {}): ContentStream {
		this.checkOpen();
		return new ContentStream(async (signal, onProgress) => {
			checkRange(options);
			const { wait } = options;
			const target = (): TemporaryTarget => new TemporaryTarget();
			return await this.downloads.find(
				downloadRequestOf(what),
				{ signal },
				{ wait, onProgress, target },
			);
		}, options);
	}

	protected override onBroken(content: StoredContent, error: unknown): void {
		const share = [...this.#shares].find((each) => each.holds(content));
		void share?.onBroken(error);
	}

	protected override async release(): Promise<void> {
		await Promise.all([...this.#shares].map((share) => share.stop()));
	}

	/** Listens for direct lanes of other nodes, unless it is not to. @throws ShoalError ERR_PORT */
	async #listen({ listen: at = {}, lane }: ShoalNodeOptions): Promise<void> {
		if (at !== false && lane !== 'broker') {
			const { link, lanes } = this.context;
			const onMessage = (message: Incoming): void => this.receive(message);
			const tls = isSecureUrl(link.url) ? makeCertificate() : undefined;
			const options = { ...this.context, ...at, id: link.id, broker: link.url, tls, onMessage };
			const listener = await listen(options);
			listener.on('warning', (error) => this.context.warn(error));
			lanes.listen(listener);
			const addresses = addressesOf(listener, tls !== undefined);
			this.addresses = { addresses, cert: tls && fingerprintOf(tls.cert) };
		}
	}
}
