import {
	type ChannelDocument,
	isChannelLink,
	isShoalError,
	type KeyChain,
	parseChannelLink,
	quoted,
	ShoalError,
	verifyNatively,
} from '../../protocol/index.ts';
import { ChannelSession } from '../channel/channel-session.ts';
import { ChannelStore, noChannel, type OwnChannel } from './channel-store.ts';
import { ChannelWriter, type NewDocument } from './channel-writer.ts';
import { openSession } from './publish.ts';
import type { PublishingNode } from './publish-options.ts';

/** Options of {@link rotateChannel}. */
export interface RotateOptions {
	/** Path of the drawer key. */
	readonly drawer: string;
	/** The folder for keys. @default that of this user */
	readonly data?: string | undefined;
	/** ms for which the document that is signed with the new key is valid. */
	readonly life: number;
}

/** A channel whose keys were rotated. */
export interface Rotated {
	/** The name of the channel. */
	readonly name: string;
	/** The key blocks, with the new one. */
	readonly chain: KeyChain;
	/**
	 * The newest document, signed again; undefined if this machine has none that the last keys have
	 * signed: publish the version then.
	 */
	readonly document: ChannelDocument | undefined;
	/** Path of the new drawer key. */
	readonly drawer: string;
}

type Node = Pick<PublishingNode, 'link' | 'topics' | 'warn'>;

/**
 * Replaces the keys of a channel, and publishes them, with its newest version signed again. If there
 * is no version, the keys are published alone.
 *
 * @param channel its name; or its link, if its files are lost: the key blocks are on the broker too
 * @throws ShoalError as {@link ChannelStore.rotate}, {@link ChannelStore.adopt} and
 *   {@link ChannelWriter.write}; ERR_LINK
 */
export async function rotateChannel(
	node: Node,
	channel: string,
	{ drawer, data, life }: RotateOptions,
): Promise<Rotated> {
	const store = new ChannelStore(data);
	const name = isChannelLink(channel)
		? await adoptByLink(node, store, channel)
		: await adoptByName(node, store, channel);
	const rotated = await store.locked(name, () => store.rotate(name, drawer));
	try {
		const document = await publishKeys(node, store, rotated, life);
		return { name, chain: rotated.chain, document, drawer: rotated.drawer };
	} catch (error) {
		// ERR_CHANNEL: the keys were rotated on another machine meanwhile, so these are of no use.
		throw isShoalError(error) && error.code !== 'ERR_CHANNEL' ? unpublished(rotated, error) : error;
	}
}

/** Publishes the new keys. @returns the newest version, signed again; undefined if there is none */
async function publishKeys(
	node: Node,
	store: ChannelStore,
	rotated: OwnChannel,
	life: number,
): Promise<ChannelDocument | undefined> {
	return await withSession(node, rotated, async (session) => {
		const written = await new ChannelWriter(store, session, rotated).write((newest) => {
			// A document of keys that were replaced before is older than the version of the followers.
			const isNewest = newest !== undefined && newest.block >= rotated.chain.last - 1;
			return isNewest ? { ...again(newest), life } : undefined;
		});
		if (written === undefined) {
			// Without the new keys on the broker, the old ones could still sign a version.
			await session.publishKeys(rotated.chain);
		}
		return written;
	});
}

/** The error of keys that were replaced here, and are not known to the followers. */
function unpublished(
	{ name, drawer }: Pick<Rotated, 'name' | 'drawer'>,
	cause: ShoalError,
): ShoalError {
	return new ShoalError(
		cause.code,
		`the keys of the channel ${quoted(name)} were replaced on this machine, but it is not certain that they were published: ${cause.message}. To publish them, publish the channel, or rotate again with the new drawer key, ${quoted(drawer, 300)}. Then move the newest drawer key to a safe place, away from this machine; the old one cannot rotate any more`,
		{ cause },
	);
}

/** Stores the key blocks that the broker has. @returns the name of the channel */
async function adoptByLink(node: Node, store: ChannelStore, text: string): Promise<string> {
	const { id, name: suggested } = parseChannelLink(text);
	const { chain, newest } = await readBroker(node, id);
	const name = newest?.name ?? suggested;
	if (chain === undefined || name === undefined) {
		throw new ShoalError(
			'ERR_NOT_FOUND',
			'the broker has no keys of this channel; is it the right broker, and was the channel published there?',
		);
	}
	await store.locked(name, () => store.adopt(name, chain));
	return name;
}

/**
 * Stores the key blocks that were added on another machine, if there are any: without them, the
 * drawer key that they have replaced would make a block that contradicts them.
 *
 * @returns the name
 */
async function adoptByName(node: Node, store: ChannelStore, name: string): Promise<string> {
	const known = await store.keys(name);
	if (known !== undefined) {
		const heard = await readBroker(node, known.channel, known);
		// No document is signed with the known keys: the broker may have keys that contradict them.
		const isAlone = heard.newest === undefined && heard.chain === known;
		const { chain } = isAlone ? await readBroker(node, known.channel) : heard;
		if (chain !== undefined && chain !== known) {
			await store.locked(name, () => store.adopt(name, chain));
		}
	}
	return name;
}

/**
 * What the broker has of a channel.
 *
 * @param known its keys: only more of them are taken. @default any keys of the channel
 */
async function readBroker(
	{ link, topics, warn }: Node,
	channel: string,
	known?: KeyChain,
): Promise<Pick<ChannelSession, 'chain' | 'newest'>> {
	const session = await ChannelSession.open({
		...{ link, topics, warn, channel, verify: verifyNatively, isKeeper: false, chain: known },
	});
	try {
		await session.settled();
		const { chain, newest } = session;
		return { chain, newest };
	} finally {
		await session.close();
	}
}

/**
 * Publishes a document that closes a channel.
 *
 * @throws ShoalError ERR_NOT_FOUND, and as {@link ChannelWriter.write}
 */
export async function closeChannel(
	node: Node,
	name: string,
	{ data, life }: Pick<RotateOptions, 'data' | 'life'>,
): Promise<ChannelDocument> {
	const store = new ChannelStore(data);
	const own = await store.find(name);
	if (own === undefined) {
		throw noChannel(name, store.folder);
	}
	const closed: NewDocument = { seed: undefined, to: [], others: undefined, base: [], life };
	return await withSession(node, own, async (session) => {
		const writer = new ChannelWriter(store, session, own);
		return (await writer.write(() => closed)) as ChannelDocument;
	});
}

function again({ seed, to, others, base }: ChannelDocument): Omit<NewDocument, 'life'> {
	return { seed, to, others, base };
}

async function withSession<T>(
	node: Node,
	own: OwnChannel,
	work: (session: ChannelSession) => Promise<T>,
): Promise<T> {
	const session = await openSession(node, own, false);
	try {
		return await work(session);
	} finally {
		await session.close();
	}
}
