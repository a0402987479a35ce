import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Authorizer } from '../../../broker/access/authorizer.ts';
import { makeTokens } from '../../../broker/index.ts';
import type { ChunkTopic } from '../../../broker/net/chunk-forwarder.ts';
import { digestChunk } from '../../../node/hashing/hasher.ts';
import { ShoalNode } from '../../../node/index.ts';
import { DEFAULT_LIMITS, HEADER_BYTES, writeChunkHeader } from '../../../protocol/index.ts';
import { Peer, topics } from '../../helpers/adversaries/peer.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import type { Scope } from '../../helpers/harness/suite.ts';
import { receiving, serving } from './chunk-cost.ts';
import { lookUps } from './known-cost.ts';

/** The cost of a step that is done once for each chunk or message. */
export interface MicroCost {
	readonly name: string;
	readonly about: string;
	/** Does the step many times. @returns µs for one step */
	measure(t: Scope, folder: string, isQuick: boolean): Promise<number>;
}

const CHUNK = 256 * 1_024;
/** Messages on their way at a time, as many as a download has open. */
const OPEN = 16;

const hash: MicroCost = {
	name: 'hash',
	about: 'SHA-256 of a chunk of 256 KiB',
	async measure(_, __, isQuick) {
		const times = isQuick ? 200 : 2_000;
		const bytes = randomBytes(CHUNK);
		const startedAt = performance.now();
		for (let index = 0; index < times; index += 1) {
			await digestChunk('sha256', bytes);
		}
		return ((performance.now() - startedAt) * 1_000) / times;
	},
};

const authorise: MicroCost = {
	name: 'authorise',
	about: 'whether a chunk message may be published, and handed to one client',
	async measure(_, __, isQuick) {
		const times = isQuick ? 2_000 : 200_000;
		const authorizer = new Authorizer({
			rules: { topics, limits: DEFAULT_LIMITS, hasTracker: true },
			now: () => performance.now(),
			warn: () => {},
			queued: () => 0,
			tokens: makeTokens(),
			isKept: () => false,
			channels: { check: () => true },
			audit: () => {},
			moved: () => {},
		});
		const [from, to] = ['node-from', 'node-to-1'].map((id) => ({ id, conn: new PassThrough() }));
		const topic = topics.chunk('node-to-1', 'node-from');
		const startedAt = performance.now();
		for (let index = 0; index < times; index += 1) {
			const parsed = topics.tryParse(topic) as ChunkTopic;
			if (
				!authorizer.mayPublish(from as never, parsed) ||
				!authorizer.mayDeliver(to as never, parsed)
			) {
				throw new Error('it is refused');
			}
		}
		return ((performance.now() - startedAt) * 1_000) / times;
	},
};

const message: MicroCost = {
	name: 'message',
	about:
		'a chunk message of 256 KiB from one client through the broker to another, all in one process',
	async measure(t, _, isQuick) {
		const times = isQuick ? 200 : 2_000;
		const { url } = await startBroker(t);
		const [from, to] = [await Peer.join(t, url), await Peer.join(t, url)];
		let received = 0;
		to.link.on('message', () => {
			received += 1;
			to.chunks.length = 0;
		});
		const bytes = Buffer.alloc(HEADER_BYTES + CHUNK);
		writeChunkHeader(bytes, { of: 'content', request: 1n, seed: '0'.repeat(64), offset: 0 });
		const topic = topics.chunk(to.id, from.id);
		const startedAt = performance.now();
		for (let sent = 0; received < times; ) {
			if (sent < times && sent - received < OPEN) {
				from.link.send(topic, bytes);
				sent += 1;
			} else {
				await new Promise((resolve) => setImmediate(resolve));
			}
		}
		return ((performance.now() - startedAt) * 1_000) / times;
	},
};

const answer: MicroCost = {
	name: 'answer',
	about:
		'a range of 1 KiB asked of a seeder and answered, 64 in a request, broker and both in one process',
	async measure(t, folder, isQuick) {
		const requests = isQuick ? 20 : 200;
		const { url } = await startBroker(t);
		const path = join(folder, 'small.bin');
		await writeFile(path, randomBytes(64 * 1_024));
		const node = await ShoalNode.start({ broker: url });
		t.defer(() => node.close());
		const { seed } = await node.share(path);
		const peer = await Peer.join(t, url);
		const ranges = Array.from({ length: 64 }, (_, index) => [index * 1_024, 1_024] as const);
		const startedAt = performance.now();
		for (let request = 0; request < requests; request += 1) {
			await new Promise<void>((answered) => {
				const off = peer.link.on('message', () => {
					if (peer.chunks.length === ranges.length) {
						peer.chunks.length = 0;
						off();
						answered();
					}
				});
				peer.ask(node.id, seed.id, ranges);
			});
		}
		const ms = performance.now() - startedAt;
		await rm(path);
		return (ms * 1_000) / (requests * ranges.length);
	},
};

const receive: MicroCost = {
	name: 'receive',
	about:
		'all JavaScript of a chunk that comes on a direct lane, from the socket to the next request',
	measure: (t, _, isQuick) => receiving(t, isQuick ? 1_000 : 8_000, 0),
};

const receiveMany: MicroCost = {
	name: 'receive-many',
	about: 'the same, while three others download it too',
	measure: (t, _, isQuick) => receiving(t, isQuick ? 1_000 : 8_000, 3),
};

const serve: MicroCost = {
	name: 'serve',
	about:
		'all JavaScript of a chunk that is served on a direct lane, from the request to the socket',
	measure: (t, _, isQuick) => serving(t, isQuick ? 1_000 : 8_000),
};

const known: MicroCost = {
	name: 'known',
	about: 'looking up a chunk in the table of 1 TiB of known contents, 4,194,304 digests',
	measure: async (_, __, isQuick) => lookUps(isQuick ? 262_144 : 4_194_304),
};

/** The measurements of single steps. */
export const MICRO_COSTS: readonly MicroCost[] = [
	hash,
	authorise,
	message,
	answer,
	receive,
	receiveMany,
	serve,
	known,
];
