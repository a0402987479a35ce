import type { ChannelDocument, KeyChain } from '../../protocol/index.ts';
import type { ChannelSession } from '../channel/channel-session.ts';
import { ChannelStore, noChannel, type OwnChannel } from './channel-store.ts';
import { ChannelWriter, type NewDocument } from './channel-writer.ts';
import { openSession, type PublishingNode } from './publish.ts';

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
	/** The key blocks, with the new one. */
	readonly chain: KeyChain;
	/** The newest document, signed again; undefined if the channel was not published yet. */
	readonly document: ChannelDocument | undefined;
	/** Path of the new drawer key. */
	readonly drawer: string;
}

type Node = Pick<PublishingNode, 'link' | 'topics' | 'warn'>;

/**
 * Replaces the keys of a channel, and publishes its newest version again with them.
 *
 * @throws ShoalError as {@link ChannelStore.rotate} and {@link ChannelWriter.write}
 */
export async function rotateChannel(
	node: Node,
	name: string,
	{ drawer, data, life }: RotateOptions,
): Promise<Rotated> {
	const store = new ChannelStore(data);
	const rotated = await store.locked(name, () => store.rotate(name, drawer));
	const document = await withSession(node, rotated, (session) =>
		new ChannelWriter(store, session, rotated).write((newest) =>
			newest === undefined ? undefined : { ...again(newest), life },
		),
	);
	return { chain: rotated.chain, document, drawer: rotated.drawer };
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
