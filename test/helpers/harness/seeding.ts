import { Seeder } from '../../../node/seeding/seeder.ts';
import type { StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield, decodeNodeRequest, type Limits } from '../../../protocol/index.ts';
import { Peer } from '../adversaries/peer.ts';
import { contentOf, seedOf } from '../fixtures/seeds.ts';
import { startBroker } from './broker.ts';
import { openContext } from './context.ts';
import type { Scope } from './suite.ts';

export const LENGTH = 100_000;
export const CHUNK = 512;
export const content = contentOf(LENGTH);
export const seed = seedOf(content, { chunkSize: CHUNK });

async function storedContent(have = Bitfield.full(seed.chunks)): Promise<StoredContent> {
	const storage = new MemoryStorage(LENGTH);
	await storage.write(0, content);
	return { seed, have, storage };
}

/** Starts a seeder of {@link seed} on a broker, and a peer that can send requests to it. */
export async function startSeeder(
	t: Scope,
	{
		have,
		maxUp,
		limits,
		part,
	}: {
		have?: Bitfield;
		maxUp?: number;
		limits?: Partial<Limits>;
		/** Bytes of the largest part that the broker carries. */
		part?: number;
	} = {},
) {
	const broker = await startBroker(t, part === undefined ? {} : { limits: { part } });
	const broken: Array<{ holding: StoredContent; error: unknown }> = [];
	const context = await openContext(t, broker.url, {
		...(maxUp === undefined ? {} : { maxUp }),
		...(limits === undefined ? {} : { limits }),
		onMessage: (topic, payload) => {
			if (topic.kind === 'request') {
				seeder.onRequest(topic.from, decodeNodeRequest(payload));
			}
		},
	});
	const seeder = new Seeder(context, (holding, error) => {
		broken.push({ holding, error });
		context.contents.remove(holding);
	});
	t.defer(() => seeder.close());
	const holding = await storedContent(have);
	context.contents.add(holding);
	const peer = await Peer.join(t, broker.url);
	return { broker, context, seeder, holding, broken, peer, to: context.id };
}
