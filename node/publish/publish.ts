import { ShoalError, verifyNatively } from '../../protocol/index.ts';
import { ChannelSession } from '../channel/channel-session.ts';
import { Presence } from '../channel/presence.ts';
import { ChannelStore, type OwnChannel } from './channel-store.ts';
import { ChannelWriter } from './channel-writer.ts';
import { CopyKeeper } from './copy-keeper.ts';
import { Publication } from './publication.ts';
import type { PublishingNode, PublishOptions } from './publish-options.ts';

const LIFE = 30 * 24 * 60 * 60 * 1_000;

/**
 * Shares a file or folder as the next version of a channel, and publishes its document.
 *
 * @throws ShoalError those of {@link ShoalNode.share}, ERR_USAGE, ERR_CHANNEL, ERR_NAME, ERR_LIMIT,
 *   ERR_REFUSED, ERR_DISCONNECTED, ERR_TIMEOUT
 */
export async function publish(
	node: PublishingNode,
	path: string,
	options: PublishOptions,
): Promise<Publication> {
	if (options.stages === undefined && (options.stopAt ?? options.least) !== undefined) {
		throw new ShoalError('ERR_USAGE', 'stopAt and least are for a version with stages');
	}
	const store = new ChannelStore(options.data);
	// Errors of the name and of the keys are found before anything is hashed.
	await store.find(options.channel);
	const before = node.sharedAt(path);
	const share = before ?? (await node.share(path, options));
	let session: ChannelSession | undefined;
	let presence: Presence | undefined;
	try {
		const copies = new CopyKeeper(node, share, store.versionsOf(options.channel), options);
		// The copy is made before the document is published: without it, the files may change, and then
		// no node can send the version of which the followers were told.
		await copies.make(path);
		const own = await ownChannel(store, options);
		const hasStages = options.stages !== undefined;
		session = await openSession(node, own, hasStages);
		presence = hasStages ? await Presence.watch(node.link, node.topics) : undefined;
		const writer = new ChannelWriter(store, session, own);
		const publication = await Publication.begin(
			{
				...{ session, writer, share, presence, broker: node.link.urls, life: options.life ?? LIFE },
				rollout: { to: options.to ?? [], percents: options.stages ?? [] },
				rules: { stopAt: options.stopAt ?? 2, least: options.least ?? 3 },
			},
			options.signal,
		);
		copies.serve(publication);
		return publication;
	} catch (error) {
		presence?.close();
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
