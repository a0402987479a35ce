import {
	type Audience,
	isShoalError,
	type Seed,
	ShoalError,
	verifyNatively,
} from '../../protocol/index.ts';
import { ChannelSession, type ChannelSessionOptions } from '../channel/channel-session.ts';
import type { SeedCache } from '../hashing/seed-cache.ts';
import type { Share, ShareOptions } from '../seeding/shared-file.ts';
import { ChannelStore, type OwnChannel } from './channel-store.ts';
import { ChannelWriter } from './channel-writer.ts';
import { Publication } from './publication.ts';
import { VersionCopies } from './version-copies.ts';

/** Options of {@link ShoalNode.publish}. */
export interface PublishOptions extends ShareOptions {
	/** The name of the channel; its keys are made when it is published for the first time. */
	readonly channel: string;
	/** Groups that get the version, with their percentages. @default everybody */
	readonly to?: readonly Audience[] | undefined;
	/** Percentages of the stages in which the version is given out, ascending. @default one stage */
	readonly stages?: readonly number[] | undefined;
	/** The next stage does not begin if more than this percentage of a stage has failed. @default 2 */
	readonly stopAt?: number | undefined;
	/** Followers that have to have applied the version before the next stage begins. @default 3 */
	readonly least?: number | undefined;
	/** ms for which the document is valid; it is renewed while this node runs. @default 30 days */
	readonly life?: number | undefined;
	/** Number of versions that are kept as copies. @default 1 for a folder, 0 for a file */
	readonly keep?: number | undefined;
	/** The folder for keys and copies. @default that of this user */
	readonly data?: string | undefined;
	/** Called when the keys of a new channel were made, with the path of the drawer key. @default none */
	readonly onKeys?: ((drawer: string) => void) | undefined;
}

/** The parts of a node that publishing uses. */
export interface PublishingNode extends Pick<ChannelSessionOptions, 'link' | 'topics' | 'warn'> {
	/** The share of a path that the node shares already, if its files have not changed. */
	sharedAt(path: string): Share | undefined;
	share(path: string, options: ShareOptions): Promise<Share>;
	get(
		seed: Seed,
		options: { output: string; cache: SeedCache | undefined; signal: AbortSignal },
	): Promise<unknown>;
}

const LIFE = 30 * 24 * 60 * 60 * 1_000;

/**
 * Shares a file or folder as the next version of a channel, and publishes its document.
 *
 * @throws ShoalError those of {@link ShoalNode.share}, ERR_CHANNEL, ERR_NAME, ERR_LIMIT,
 *   ERR_REFUSED, ERR_DISCONNECTED, ERR_TIMEOUT
 */
export async function publish(
	node: PublishingNode,
	path: string,
	options: PublishOptions,
): Promise<Publication> {
	const store = new ChannelStore(options.data);
	// Before anything is hashed: errors of the name and of the keys.
	await store.find(options.channel);
	const before = node.sharedAt(path);
	const share = before ?? (await node.share(path, options));
	let session: ChannelSession | undefined;
	try {
		const own = await ownChannel(store, options);
		session = await openSession(node, own, options.stages !== undefined);
		const writer = new ChannelWriter(store, session, own);
		const publication = await Publication.begin(
			{
				...{ session, writer, share, broker: node.link.url, life: options.life ?? LIFE },
				rollout: { to: options.to ?? [], percents: options.stages ?? [] },
				rules: { stopAt: options.stopAt ?? 2, least: options.least ?? 3 },
			},
			options.signal,
		);
		const versions = new VersionCopies(store.versionsOf(options.channel));
		new CopyKeeper(node, publication, versions, options).begin();
		return publication;
	} catch (error) {
		await session?.close();
		if (before === undefined) {
			await share.stop();
		}
		throw error;
	}
}

async function ownChannel(
	store: ChannelStore,
	{ channel, signal, onKeys }: PublishOptions,
): Promise<OwnChannel> {
	return await store.locked(
		channel,
		async () => {
			const found = await store.find(channel);
			if (found !== undefined) {
				return found;
			}
			const made = await store.create(channel);
			onKeys?.(made.drawer);
			return made;
		},
		signal,
	);
}

/** Opens the session of a channel that this user publishes. @throws as {@link ChannelSession.open} */
export async function openSession(
	{ link, topics, warn }: Pick<PublishingNode, 'link' | 'topics' | 'warn'>,
	{ chain, latest }: OwnChannel,
	withReceipts: boolean,
): Promise<ChannelSession> {
	return await ChannelSession.open({
		...{ link, topics, warn, channel: chain.channel, verify: verifyNatively },
		...{ chain, newest: latest, isKeeper: true, withReceipts },
	});
}

/**
 * Keeps a copy of a published version, and shares it when the published path changes. Also shares the
 * copy of the version that all others get while this one is given out in stages.
 */
class CopyKeeper {
	readonly #node: PublishingNode;
	readonly #publication: Publication;
	readonly #versions: VersionCopies;
	readonly #options: PublishOptions;
	readonly #keep: number;
	/** Resolves when the copy is made, or could not be made. */
	#copying: Promise<unknown> = Promise.resolve();

	constructor(
		node: PublishingNode,
		publication: Publication,
		versions: VersionCopies,
		options: PublishOptions,
	) {
		this.#node = node;
		this.#publication = publication;
		this.#versions = versions;
		this.#options = options;
		this.#keep = options.keep ?? (publication.seed.index === undefined ? 0 : 1);
	}

	begin(): void {
		const { share, stopped } = this.#publication;
		share.on('ended', (error) => void this.#onEnded(error));
		this.#copying = this.#copy(stopped).catch((error: unknown) => {
			if (!stopped.aborted) {
				this.#publication.emit('warning', noCopy(error));
			}
		});
	}

	async #copy(signal: AbortSignal): Promise<void> {
		const { seed, document } = this.#publication;
		const { cache } = this.#options;
		const { others } = document;
		const needed = new Set([seed.id, ...(others === undefined ? [] : [others])]);
		if (this.#keep > 0) {
			await this.#versions.make(seed, async (output) => {
				await this.#node.get(seed, { output, cache, signal });
			});
		}
		await this.#versions.prune(this.#keep, needed);
		await this.#shareCopy(others);
	}

	async #onEnded(error: unknown): Promise<void> {
		await this.#copying;
		const path = await this.#shareCopy(this.#publication.seed.id).catch((reason: unknown) => {
			this.#publication.emit('warning', reason);
		});
		if (path === undefined) {
			this.#publication.emit('ended', error);
		} else {
			this.#publication.emit('copyShared', path);
		}
	}

	/** @returns the path of the copy that is shared; undefined if there is none */
	async #shareCopy(seed: string | undefined): Promise<string | undefined> {
		const path = seed === undefined ? undefined : await this.#versions.find(seed);
		if (path === undefined) {
			return undefined;
		}
		try {
			const { name, cache } = this.#options;
			const copy = await this.#node.share(path, { name, cache });
			if (copy.seed.id !== seed) {
				// Somebody has changed the copy.
				await copy.stop();
				return undefined;
			}
			if (seed === this.#publication.seed.id) {
				copy.on('ended', (error) => this.#publication.emit('ended', error));
			}
		} catch (error) {
			if (!isShoalError(error, 'ERR_EXISTS')) {
				throw error;
			}
		}
		return path;
	}
}

function noCopy(cause: unknown): unknown {
	return isShoalError(cause)
		? new ShoalError(
				cause.code,
				`no copy was made of the version, so it is shared only until its files are changed: ${cause.message}`,
				{ cause },
			)
		: cause;
}
