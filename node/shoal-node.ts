import { nanoid } from 'nanoid';
import { fingerprintOf, makeCertificate, type Peer } from '../broker/for-nodes.ts';
import {
	type ChannelDocument,
	checkGroup,
	type Incoming,
	Link,
	linkBrokers,
	makeNodeId,
	parseChannelLink,
	parseNodeId,
	quoted,
	type Seed,
	ShoalError,
	Topics,
	verifyNatively,
} from '../protocol/index.ts';
import { BaseNode } from './base-node.ts';
import { ChannelSession } from './channel/channel-session.ts';
import { FleetWatch } from './channel/fleet-watch.ts';
import { checkCall } from './check-arguments.ts';
import type { FetchOptions } from './download/download-manager.ts';
import type { DownloadResult } from './download/download-types.ts';
import { OutputTarget } from './download/target/output-target.ts';
import { TemporaryTarget } from './download/target/temporary-target.ts';
import { type FollowedPlace, openFollowed, waitWarning } from './follow/followed-place.ts';
import { Following, type FollowOptions } from './follow/following.ts';
import type { FolderListing, GetOptions } from './get-options.ts';
import { digestChunk } from './hashing/hasher.ts';
import { dial } from './lanes/dial.ts';
import { addressesOf, listen } from './lanes/listen.ts';
import { brokerStream } from './lanes/transport/broker-stream.ts';
import type { ShoalNodeOptions } from './node-options.ts';
import {
	closeChannel,
	type Rotated,
	type RotateOptions,
	rotateChannel,
} from './publish/administer.ts';
import type { Publication } from './publish/publication.ts';
import { publish } from './publish/publish.ts';
import type { PublishOptions } from './publish/publish-options.ts';
import { checkLike } from './reuse/like-paths.ts';
import { LocalBytes } from './reuse/local-bytes.ts';
import { Share, type ShareOptions } from './seeding/shared-file.ts';
import type { StoredContent } from './storage/content-store.ts';
import { absolutePath } from './storage/regular-file.ts';
import { checkRange } from './streaming/content-range.ts';
import { readFolder } from './streaming/content-reader.ts';
import { ContentStream, type FindSource, type StreamOptions } from './streaming/content-stream.ts';
import { FolderCache, type KnownFolder } from './streaming/folder-cache.ts';
import { lostState } from './tracker/announcer.ts';
import { selectionOf } from './util/globs.ts';

/** A node: shares files and downloads at the same time, over one broker or one cluster. */
export class ShoalNode extends BaseNode {
	readonly #shares = new Set<Share>();
	readonly #folders = new FolderCache();
	/** The publications and followings, which are stopped when the node is closed. */
	readonly #channels = new Set<Publication | Following>();
	readonly #name: string | undefined;

	private constructor(link: Link, topics: Topics, options: ShoalNodeOptions) {
		super(link, topics, { ...options, dial, digestChunk });
		this.#name = options.name;
	}

	/**
	 * Connects to the broker, or to the first one of a list that can be reached. Then listens for
	 * direct connections, and publishes the node's state.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_REFUSED, ERR_ID_TAKEN, ERR_ID, ERR_PORT, ERR_TOPIC, ERR_TIMEOUT, ERR_DISCONNECTED;
	 *   ERR_USAGE, also for a list of brokers that is empty, too long, or mixes TLS and plain URLs; ERR_LINK for a
	 *   malformed URL in a list
	 */
	static async start(options: ShoalNodeOptions = {}): Promise<ShoalNode> {
		checkCall('start', options);
		const topics = new Topics(options.root);
		const id = options.id === undefined ? makeNodeId() : parseNodeId(options.id);
		const { broker = 'mqtt://127.0.0.1:1883', token, cert, secret = nanoid() } = options;
		const link = await Link.open({
			...linkBrokers(broker, { token, cert, secret, streamTo: brokerStream }),
			id,
			will: (session) => ({ topic: topics.nodeState(id), payload: lostState(session) }),
		});
		let node: ShoalNode | undefined;
		try {
			node = new ShoalNode(link, topics, options);
			await node.subscribe();
			await node.#listen(options);
			await node.join();
			return node;
		} catch (error) {
			await (node ?? link).close();
			throw error;
		}
	}

	/**
	 * Makes the seed of a file or folder, and shares it until the share is stopped or the node is
	 * closed.
	 * If there is a connection, waits until the broker has the announce. Then asks the tracker
	 * whether it lists the seed, and waits for the answer for a second at most.
	 *
	 * @throws ShoalError ERR_NAME, ERR_NO_FILE, ERR_PERMISSION, ERR_CHANGED, ERR_EXISTS, ERR_IO,
	 *   ERR_ABORTED, ERR_CLOSED, ERR_SEED if something in a folder cannot be shared, ERR_LIMIT if there
	 *   is too much in it, or if the tracker does not list it
	 */
	async share(path: string, options: ShareOptions = {}): Promise<Share> {
		this.checkOpen();
		checkCall('share', options, { path });
		const share = await Share.start(this.context.contents, path, options);
		this.#shares.add(share);
		void share.over.then(() => this.#shares.delete(share));
		try {
			this.checkOpen();
			await this.announce(share.seed);
		} catch (error) {
			await share.stop();
			throw error;
		}
		return share;
	}

	/**
	 * Downloads a file. Meanwhile the node shares the chunks that it has; afterwards it shares the
	 * whole file. A content that this node already has is copied. If this node is already downloading
	 * the content to a file, or another process writes it to the same file, waits until that download
	 * ends. If it fails, the download of this call goes on.
	 *
	 * @param what a seed, or what {@link resolve} takes: an id, a link, a name
	 * @throws ShoalError those of {@link resolve}, ERR_NOT_FOUND, ERR_NO_TRACKER, ERR_EXISTS, ERR_NO_SPACE, ERR_NO_FILE,
	 *   ERR_PERMISSION, ERR_IO, ERR_NAME, ERR_SEED, ERR_SEED_LIES, ERR_WRONG_BYTES, ERR_TIMEOUT, ERR_REFUSED, ERR_ABORTED,
	 *   ERR_CLOSED
	 */
	async get(what: string | Seed, options: GetOptions = {}): Promise<DownloadResult> {
		checkCall('get', options);
		const { output, check = 'whole', only = [], exclude = [], cache, wait, signal } = options;
		const { like = [] } = options;
		await checkLike(like);
		const request = await this.requestOf(what, { wait, signal });
		const isWanted = selectionOf(only, exclude);
		const target = new OutputTarget({ output, check, isWanted, cache });
		const { contents, warn } = this.context;
		const held = () => contents.all();
		const known = new LocalBytes({ held, cache, like, warn });
		return await this.downloads.getOrCopy(request, target, { ...options, known });
	}

	/**
	 * A stream of a file, or of a range of it. The bytes arrive in order and are fetched while they
	 * are read; nothing else is fetched. Any number of streams can run at a time, also of files that
	 * this node shares, has or is downloading. Each chunk is verified before the stream passes on its
	 * bytes. For a whole file, the digest of the whole is verified too, before the stream ends. Do
	 * not trust the bytes of a stream that ends with an error.
	 *
	 * The stream ends with the errors of {@link get}, with ERR_RANGE, with ERR_FOLDER if a folder is
	 * named without a path, or with ERR_NO_SPACE if the folder for temporary
	 * files has no room.
	 *
	 * @param what as in {@link get}
	 * @throws ShoalError ERR_CLOSED, ERR_USAGE
	 */
	stream(what: string | Seed, options: StreamOptions = {}): ContentStream {
		this.checkOpen();
		checkCall('stream', options);
		const find: FindSource = async (signal, onProgress) => {
			checkRange(options);
			const { wait } = options;
			const target = (): TemporaryTarget => new TemporaryTarget();
			const request = await this.requestOf(what, { wait, signal });
			const { seed = request.seed } = this.#folders.get(request.id) ?? {};
			const known = seed === undefined ? request : { ...request, seed };
			return await this.downloads.find(known, { signal }, { wait, onProgress, target });
		};
		return new ContentStream(find, options, this.#folders);
	}

	/**
	 * The entries of a folder, in the order of its index. Only the index is fetched; the indexes that
	 * were read last are kept in memory.
	 *
	 * @param what a seed, or what {@link resolve} takes
	 * @throws ShoalError ERR_FOLDER if it is a file, ERR_SEED if the index is not safe, and those of
	 *   {@link get}
	 */
	async list(
		what: string | Seed,
		options: Pick<FetchOptions, 'wait' | 'signal'> = {},
	): Promise<FolderListing> {
		checkCall('list', options);
		const { seed, folder } = await this.openFolder(what, options);
		// Own properties, unlike those of an index: callers copy entries and print them as JSON.
		const entries = folder.entries.map(({ path, kind, length, digest }) => {
			return { path, kind, length, digest };
		});
		return { seed, entries };
	}

	/** The folder of {@link list}, for the gateway. @throws as {@link list} @internal */
	async openFolder(
		what: string | Seed,
		{ wait, signal }: Pick<FetchOptions, 'wait' | 'signal'> = {},
	): Promise<KnownFolder> {
		const request = await this.requestOf(what, { wait, signal });
		const known = this.#folders.get(request.id);
		if (known !== undefined) {
			return known;
		}
		const target = (): TemporaryTarget => new TemporaryTarget();
		const reader = { signal: signal ?? new AbortController().signal };
		const source = await this.downloads.find(request, reader, {
			wait,
			onProgress: () => {},
			target,
		});
		try {
			const { seed } = source.content;
			const folder = await readFolder(source, this.#folders);
			if (folder === undefined) {
				throw new ShoalError(
					'ERR_FOLDER',
					`${quoted(seed.name)} is a file, and has no list of files`,
				);
			}
			return { seed, folder };
		} finally {
			await source.leave();
		}
	}

	/**
	 * Shares a file or folder as the next version of a channel, and publishes it to all followers of
	 * the channel, until the publication is stopped or the node is closed. The keys of the channel are
	 * made when it is published for the first time.
	 *
	 * @throws ShoalError those of {@link share}; ERR_USAGE if there are rules of stages without stages,
	 *   ERR_CHANNEL if the keys are damaged or were rotated elsewhere, ERR_NAME, ERR_LIMIT, ERR_REFUSED, ERR_DISCONNECTED, ERR_TIMEOUT
	 */
	async publish(path: string, options: PublishOptions): Promise<Publication> {
		this.checkOpen();
		checkCall('publish', options, { path });
		const { link, topics, warn } = this.context;
		const publication = await publish(
			{
				...{ link, topics, warn },
				sharedAt: (what) => this.#sharedAt(what),
				share: (what, how) => this.share(what, how),
				get: (seed, how) => this.get(seed, how),
			},
			path,
			options,
		);
		await this.#keep(publication);
		const remove = link.on('up', () => publication.repeat().catch(warn));
		publication.stopping.addEventListener('abort', remove);
		return publication;
	}

	/**
	 * Keeps a folder at the newest version of a channel. The versions that are applied from now on can
	 * be iterated over. Never takes an older document than the newest that was known, also after a
	 * restart. Waits for ten seconds at most, and emits a `warning`, while it is not clear whether
	 * another process follows into the folder.
	 *
	 * @param channel the link of the channel, or its id
	 * @param folder the path of the folder, which is made if it is missing
	 * @throws ShoalError ERR_LINK, ERR_NAME, ERR_FOLDER if the path is no folder, ERR_EXISTS if it is
	 *   followed by another process or follows another channel, ERR_CHANNEL if the state is damaged, ERR_REFUSED, ERR_TIMEOUT,
	 *   ERR_DISCONNECTED, ERR_CLOSED, ERR_PERMISSION, ERR_NO_SPACE, ERR_IO
	 */
	async follow(
		channel: string,
		folder: string | FollowedPlace,
		options: FollowOptions = {},
	): Promise<Following> {
		this.checkOpen();
		checkCall('follow', options, { channel, folder });
		const about = parseChannelLink(channel);
		const { groups = [], releases, data, cache } = options;
		for (const group of groups) {
			checkGroup(group);
		}
		const { link, topics, warn, contents, tracker } = this.context;
		const onWait = waitWarning(warn);
		const followed =
			typeof folder === 'string'
				? await openFollowed(folder, { channel: about.id, releases, data, onWait })
				: folder;
		const known = new LocalBytes({ held: () => contents.all(), cache, warn });
		const following = await Following.start(
			{
				...{ link, topics, warn, contents, known, downloads: this.downloads, name: this.#name },
				swarm: (seed) => tracker.ask('query', { seed }).catch(() => undefined),
				trackerTime: () => tracker.clock,
			},
			about,
			followed,
			options,
		);
		await this.#keep(following);
		return following;
	}

	/**
	 * The followers of a channel, as their receipts say.
	 *
	 * @param channel the link of the channel, or its id
	 * @throws ShoalError ERR_LINK, ERR_NAME, ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED, ERR_CLOSED
	 */
	async fleet(channel: string): Promise<FleetWatch> {
		this.checkOpen();
		checkCall('fleet', {}, { channel });
		const { id } = parseChannelLink(channel);
		const { link, topics, warn } = this.context;
		const session = await ChannelSession.open({
			...{ link, topics, warn, channel: id, verify: verifyNatively },
			...{ isKeeper: false, withReceipts: true },
		});
		return new FleetWatch(session);
	}

	/**
	 * Replaces the keys of a channel with the drawer key, and publishes its newest version again. If
	 * there is no version to sign again, the new keys are published alone.
	 *
	 * @param channel its name; or its link, if this machine does not have its key blocks: those of the
	 *   broker are then used
	 * @throws ShoalError ERR_LINK, ERR_NOT_FOUND, ERR_CHANNEL if it is not the drawer key, or the keys
	 *   were rotated twice, ERR_LIMIT, ERR_EXISTS, ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_REFUSED,
	 *   ERR_DISCONNECTED, ERR_TIMEOUT
	 */
	async rotateChannel(channel: string, options: RotateOptions): Promise<Rotated> {
		this.checkOpen();
		checkCall('rotateChannel', options, { channel });
		return await rotateChannel(this.context, channel, options);
	}

	/**
	 * Closes a channel: its followers keep what they have, until it is published again.
	 *
	 * @throws ShoalError as {@link rotateChannel}
	 */
	async closeChannel(
		channel: string,
		options: Pick<RotateOptions, 'data' | 'life'>,
	): Promise<ChannelDocument> {
		this.checkOpen();
		checkCall('closeChannel', options, { channel });
		return await closeChannel(this.context, channel, options);
	}

	protected override onBroken(content: StoredContent, error: unknown): void {
		const share = [...this.#shares].find((each) => each.holds(content));
		void share?.onBroken(error);
	}

	protected override async beforeClose(): Promise<void> {
		await Promise.all([...this.#channels].map((each) => each.stop()));
	}

	protected override async release(): Promise<void> {
		await Promise.all([...this.#shares].map((share) => share.stop()));
	}

	/** Stops `each` when the node is closed. @throws ShoalError ERR_CLOSED if it is closed already */
	async #keep(each: Publication | Following): Promise<void> {
		this.#channels.add(each);
		void each.over.then(() => this.#channels.delete(each));
		if (this.isClosed) {
			await each.stop();
			this.checkOpen();
		}
	}

	/** The share of `path`, if its files have not changed. */
	#sharedAt(path: string): Share | undefined {
		const { contents } = this.context;
		const absolute = absolutePath(path);
		const isCurrent = (each: Share): boolean => each.path === absolute && each.isIn(contents);
		return [...this.#shares].find((each) => isCurrent(each) && each.isUnchanged());
	}

	/** Listens for direct lanes, unless the options rule them out. @throws ShoalError ERR_PORT */
	async #listen({ listen: at = {}, lane }: ShoalNodeOptions): Promise<void> {
		if (at !== false && lane !== 'broker') {
			const { link, lanes } = this.context;
			const onMessage = (message: Incoming, peer: Peer | undefined): void =>
				this.receive(message, lanes.from(peer));
			const tls = link.isSecure ? makeCertificate() : undefined;
			const options = { ...this.context, ...at, id: link.id, brokers: link.urls, tls, onMessage };
			const listener = await listen(options);
			listener.on('warning', (error) => this.context.warn(error));
			lanes.listen(listener);
			const addresses = addressesOf(listener, tls !== undefined, at.advertise);
			this.addresses = { addresses, cert: tls && fingerprintOf(tls.cert) };
		}
	}
}
