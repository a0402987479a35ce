import { connect } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
	encodeJson,
	formatRequestId,
	HEADER_BYTES,
	makeRequestId,
	Topics,
	writeChunkHeader,
} from '../../protocol/index.ts';
import { Peer } from '../helpers/adversaries/peer.ts';
import {
	connectPacket,
	packet,
	publishPacket,
	subscribePacket,
} from '../helpers/adversaries/raw-client.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { Mutator } from '../helpers/fixtures/mutate.ts';
import { announce, seedId, state, status } from '../helpers/fixtures/registry.ts';
import { contentOf, seedOf } from '../helpers/fixtures/seeds.ts';
import { Member } from '../helpers/harness/member.ts';
import { peakBytes, resetPeak } from '../helpers/harness/proc.ts';
import { drawnSeed } from '../helpers/harness/random.ts';
import { randomFile, Shoal, spawnBroker } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

// Broker and node run in their own processes, which end at an exception that is not caught.

const test = suite('fuzz', { timeout: 240_000 });
const topics = new Topics();
const ID = 'fuzzer-000000';
const OTHER = 'other-001';
const COUNT = 100_000;
/** The packets that are sent on one connection. The first malformed one ends the connection. */
const BATCH = 20;
const AT_ONCE = 32;
const session = 'session-01';
const requestId = formatRequestId(makeRequestId());

/** One of each packet that a client may send. */
const PACKETS: readonly Buffer[] = [
	connectPacket(ID),
	connectPacket(ID, { topic: topics.nodeState(ID), payload: 'gone' }),
	subscribePacket(topics.inboxFilter(ID)),
	subscribePacket(`${topics.root}/announce/+/+`),
	Buffer.from([0xa2, 9, 0, 1, 0, 5, 97, 47, 98, 47, 99]),
	publishPacket(topics.nodeState(ID), encodeJson(state(session)), 0x33),
	publishPacket(topics.announce(seedId(1), ID), encodeJson(announce(session)), 0x33),
	publishPacket(topics.announce(seedId(1), ID), Buffer.alloc(0), 0x33),
	publishPacket(
		topics.trackerRequest(ID),
		encodeJson({ op: 'update', id: requestId, ...status(session, [seedId(1)]) }),
		0x32,
	),
	publishPacket(topics.trackerRequest(ID), encodeJson({ op: 'get_seed', id: requestId }), 0x32),
	publishPacket(
		topics.trackerRequest(ID),
		encodeJson({ op: 'query', id: requestId, seed: seedId(1) }),
	),
	publishPacket(
		topics.request(OTHER, ID),
		encodeJson({ op: 'have', id: requestId, seed: seedId(1) }),
	),
	publishPacket(topics.chunk(OTHER, ID), Buffer.alloc(300, 7)),
	publishPacket(topics.swarm(seedId(1), ID), Buffer.alloc(40_000, 7)),
	Buffer.from([0x40, 2, 0, 1]),
	Buffer.from([0x50, 2, 0, 1]),
	Buffer.from([0x62, 2, 0, 1]),
	Buffer.from([0x70, 2, 0, 1]),
	Buffer.from([0xc0, 0]),
	Buffer.from([0xe0, 0]),
];

/** Random bytes, a packet changed anywhere, or a packet changed only after its right length. */
function hostilePacket(mutator: Mutator): Buffer {
	const honest = mutator.pick(PACKETS);
	switch (mutator.below(4)) {
		case 0:
			return mutator.bytes(1 + mutator.below(64));
		case 1:
			return mutator.mutate(honest);
		default: {
			const head = 1 + honest.subarray(1).findIndex((byte) => byte < 128) + 1;
			return packet(honest[0] as number, [mutator.mutate(honest.subarray(head))]);
		}
	}
}

/** Sends `bytes` on a new connection, and waits until the connection is closed. */
async function send(port: number, bytes: Buffer): Promise<void> {
	const socket = connect(port, '127.0.0.1');
	socket.on('error', () => {});
	socket.resume();
	socket.end(bytes);
	await new Promise((resolve) => socket.once('close', resolve));
}

/** The least and the most repetitions of the work. */
const LEAST_PARTS = 4;
const MOST_PARTS = 10;

/**
 * Repeats `work` until the memory of the process has grown by less than 30 MB in the last two
 * repetitions. There are several of them, as the garbage collector may run late.
 */
async function staysFlat({ pid }: Shoal, work: () => Promise<void>): Promise<void> {
	const peaks: number[] = [];
	const grown = (): number => (peaks.at(-1) ?? 0) - (peaks.at(-3) ?? 0);
	while (peaks.length < LEAST_PARTS || (grown() >= 30e6 && peaks.length < MOST_PARTS)) {
		resetPeak(pid);
		await work();
		peaks.push(peakBytes(pid));
	}
	console.log(`peaks: ${peaks.map((peak) => Math.round(peak / 1e6)).join(', ')} MB`);
	assert.ok(grown() < 30e6, `grew by ${grown()} in the last two of ${peaks.length} repetitions`);
}

test(`T14: a broker survives ${COUNT} random and mutated packets, and its memory does not grow`, async (t) => {
	const mutator = new Mutator(drawnSeed());
	const { broker, url } = await spawnBroker(
		t,
		'--limit',
		'connectRate=1000000',
		'--limit',
		'addressConnectRate=1000000',
	);
	const port = Number(new URL(url).port);
	let clients = 0;
	const sendBatch = async (): Promise<void> => {
		clients += 1;
		const id = ID.slice(0, -6) + String(clients).padStart(6, '0');
		const packets = [
			connectPacket(ID),
			...Array.from({ length: BATCH }, () => hostilePacket(mutator)),
		];
		// Each client has its own id, as the id of a connected client is refused.
		const text = Buffer.concat(packets.slice(mutator.below(8) === 0 ? 1 : 0)).toString('latin1');
		await send(port, Buffer.from(text.replaceAll(ID, id), 'latin1'));
	};
	await staysFlat(broker, async () => {
		let left = COUNT / 4;
		const lane = async (): Promise<void> => {
			while (left > 0) {
				left -= BATCH;
				await sendBatch();
			}
		};
		await Promise.all(Array.from({ length: AT_ONCE }, lane));
	});
	const ann = await Member.join(t, url);
	await ann.share(seedId(2));
	assert.equal(await ann.query(seedId(2)).then(({ seeders }) => seeders), 1, 'it still works');
	assert.is(broker.code, undefined);
});

test(`T14: a node survives ${COUNT} random and mutated messages, and its memory does not grow`, async (t) => {
	const mutator = new Mutator(drawnSeed());
	const { url } = await spawnBroker(t);
	const folder = await makeFolder(t);
	const path = join(folder, 'shared.bin');
	const digest = await randomFile(path, 1_000_000);
	const wanted = seedOf(contentOf(5_000_000), { chunkSize: 262_144 });
	const peer = await Peer.join(t, url);
	await peer.announce(wanted);
	// One node shares a file, and one waits for another file, which it never gets.
	const sharer = new Shoal(t, ['share', path, '--broker', url]);
	const { id: shared, node } = (await sharer.event('sharing')) as unknown as Record<string, string>;
	const getter = new Shoal(t, [
		'get',
		wanted.id,
		'-o',
		join(folder, 'never'),
		'--wait',
		'--broker',
		url,
	]);
	await until('it asks', () => peer.requests.length > 0);
	const getting = peer.requests[0]?.from as string;
	const about = { seed: wanted.id, name: 'x', length: wanted.length, chunks: wanted.chunks };
	const have = { op: 'have', id: requestId, ...about, kind: 'sha256', have: 'all' };
	const ranges = [[0, 262_144]];
	const chunk = Buffer.alloc(HEADER_BYTES + 500, 3);
	const header = { request: makeRequestId(), seed: wanted.id, offset: 0 };
	writeChunkHeader(chunk, { of: 'seed', ...header });
	const json = (message: unknown): Buffer => Buffer.from(encodeJson(message));
	const messages: ReadonlyArray<readonly [topic: string, payload: Buffer]> = [
		[topics.request(node as string, peer.id), json({ op: 'have', id: requestId, seed: shared })],
		[
			topics.request(node as string, peer.id),
			json({ op: 'chunks', id: requestId, seed: shared, ranges }),
		],
		[
			topics.request(node as string, peer.id),
			json({ op: 'seed', id: requestId, seed: shared, ranges }),
		],
		[
			topics.request(node as string, peer.id),
			json({ op: 'cancel', id: requestId, seed: shared, ranges }),
		],
		[topics.reply(getting, peer.id), json(have)],
		[topics.reply(getting, peer.id), json({ op: 'gained', seed: wanted.id, runs: [[0, 3]] })],
		[topics.reply(getting, peer.id), json({ ...have, have: { first: 0, bits: 'AAAA' } })],
		[
			topics.reply(getting, peer.id),
			json({ op: 'refused', id: requestId, seed: wanted.id, reason: 'busy' }),
		],
		[topics.chunk(getting, peer.id), chunk],
		[topics.swarm(wanted.id, peer.id), chunk],
	];
	const work = async (): Promise<void> => {
		for (let count = 0; count < COUNT / 4; count += 1) {
			const [topic, payload] = mutator.pick(messages);
			const isRandom = mutator.below(4) === 0;
			peer.link.send(topic, isRandom ? mutator.bytes(mutator.below(100)) : mutator.mutate(payload));
			if (count % 200 === 0) {
				await peer.link.drained();
				await new Promise((resolve) => setTimeout(resolve, 1));
			}
		}
	};
	await staysFlat(getter, work);
	assert.is(sharer.code, undefined);
	assert.is(getter.code, undefined);
	const copy = join(folder, 'copy.bin');
	const good = new Shoal(t, ['get', shared as string, '-o', copy, '--broker', url, '--no-linger']);
	assert.is((await good.event('complete')).digest, digest, 'the node still uploads');
});

test.run();
