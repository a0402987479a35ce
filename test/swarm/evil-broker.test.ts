import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AedesPublishPacket } from 'aedes';
import * as assert from 'uvu/assert';
import { Tracker } from '../../broker/index.ts';
import { makeSeed } from '../../node/index.ts';
import {
	decodeChunk,
	decodeTrackerRequest,
	type ErrorCode,
	encodeJson,
	Link,
	type ShoalError,
	Topics,
} from '../../protocol/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { seedId } from '../helpers/fixtures/registry.ts';
import { startNode } from '../helpers/harness/node.ts';
import { type PlainBroker, startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { randomFile, sha256 } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('a malicious broker');
const topics = new Topics();
const MIB = 1024 * 1024;
const LENGTH = 12 * MIB;

type Tamper = (broker: PlainBroker) => void;

/** Applies `change` to every chunk message that the broker forwards. */
function tamper({ aedes }: PlainBroker, change: (payload: Buffer) => Buffer | null): void {
	aedes.authorizeForward = (_client, packet) => {
		const kind = topics.tryParse(packet.topic)?.kind;
		if (kind !== 'chunk' && kind !== 'swarm') {
			return packet;
		}
		const payload = change(packet.payload as Buffer);
		return payload === null ? null : { ...packet, payload };
	};
}

function flipped(payload: Buffer): Buffer {
	const copy = Buffer.from(payload);
	copy[copy.length - 1] = (copy.at(-1) as number) ^ 1;
	return copy;
}

function everyNth(n: number, change: (payload: Buffer) => Buffer | null) {
	let count = 0;
	return (payload: Buffer): Buffer | null => {
		count += 1;
		return count % n === 0 ? change(payload) : payload;
	};
}

/** The behaviour of the broker, and the expected failure, if any. */
const EVILS: Record<string, readonly [tamper: Tamper, failure?: ErrorCode]> = {
	'flips a bit now and then': [(broker) => tamper(broker, everyNth(40, flipped))],
	'flips a bit of everything': [(broker) => tamper(broker, flipped), 'ERR_SEED'],
	'flips a bit of every chunk': [
		(broker) =>
			tamper(broker, (payload) =>
				decodeChunk(payload).of === 'seed' ? payload : flipped(payload),
			),
		'ERR_WRONG_BYTES',
	],
	'loses every fifth chunk message': [
		(broker) =>
			tamper(
				broker,
				everyNth(5, () => null),
			),
	],
	'repeats everything, late and in another order': [
		(broker) => {
			const repeated = new WeakSet<object>();
			broker.aedes.on('publish', (packet: AedesPublishPacket, client) => {
				if (client === null || repeated.has(packet)) {
					return;
				}
				for (const ms of [40, 20]) {
					const again = { ...packet, payload: Buffer.from(packet.payload) };
					setTimeout(() => broker.aedes.publish(again, () => {}), ms);
				}
			});
		},
	],
};

/** Gets a file through a broker that `start` changes. @returns the error; undefined if complete */
async function getThrough(t: Scope, start: Tamper): Promise<unknown> {
	const broker = await startPlainBroker(t);
	const tracker = await Tracker.start({ url: broker.url, probe: 100 });
	t.defer(() => tracker.close());
	const folder = await makeFolder(t);
	const path = join(folder, 'source.bin');
	const digest = await randomFile(path, LENGTH);
	const seed = await makeSeed(path);
	for (let count = 0; count < 3; count += 1) {
		await (await startNode(t, broker.url, { lane: 'broker' })).share(path);
	}
	start(broker);
	const output = join(folder, 'copy.bin');
	const node = await startNode(t, broker.url, { lane: 'broker' });
	try {
		await node.get(seed.id, { output });
	} catch (error) {
		assert.not.ok((await readdir(folder)).includes('copy.bin'));
		return error;
	}
	assert.is(await sha256(output), digest);
	return undefined;
}

test('T16 F15 F17: with a malicious broker a get ends with the right file or a clear error', async (t) => {
	const before = process.memoryUsage.rss();
	const tries = Object.entries(EVILS).map(async ([what, [start, expected]]) => {
		const failure = (await getThrough(t, start)) as ShoalError | undefined;
		assert.is(failure?.code, expected, `${what}: ${failure?.message}`);
	});
	await Promise.all(tries);
	const grown = process.memoryUsage.rss() - before;
	assert.ok(grown < 600e6, `the twenty nodes and five brokers grew by ${grown}`);
});

/** A tracker that answers each get_seed with 100 seeds, and with a next page as `nextOf` says. */
async function startTracker(t: Scope, url: string, nextOf: (last: number) => number) {
	const id = 'evil-tracker';
	const tracker = await Link.open({ url, id });
	t.defer(() => tracker.close());
	let last = 0;
	tracker.on('message', ({ topic, payload }) => {
		const from = topics.tryParse(topic);
		if (from?.kind === 'tracker-request') {
			const request = decodeTrackerRequest(payload);
			const about = { name: 'x', length: 1_500, chunks: 3, seeders: 1, downloaders: 0 };
			const seeds = Array.from({ length: 100 }, (_, at) => ({ seed: seedId(last + at), ...about }));
			last += 100;
			const { op, id: answers } = request;
			const reply = { op, id: answers, seeds, next: seedId(nextOf(last)) };
			tracker.send(topics.reply(from.from, id), encodeJson(reply));
		}
	});
	await tracker.subscribe(`${topics.root}/tracker/request/+`);
	const { session } = tracker;
	const ready = {
		state: 'ready',
		tracker: id,
		session,
		ttl: 90_000,
		renewal: 30_000,
		part: 262_144,
	};
	await tracker.retain(topics.trackerState(), encodeJson(ready));
	return { told: () => last };
}

test('T16: a node stops reading a list of seeds that does not end', async (t) => {
	for (const nextOf of [(last: number) => last, () => 7]) {
		const { url } = await startPlainBroker(t);
		const { told } = await startTracker(t, url, nextOf);
		const node = await startNode(t, url, { limits: { announces: 2_000 } });
		const listed: string[] = [];
		const listing = (async () => {
			for await (const { seed } of node.seeds()) {
				listed.push(seed);
			}
		})();
		assert.is((await rejects(listing)).code, 'ERR_LIMIT');
		assert.ok(listed.length <= 2_100 && told() <= 2_200, `${listed.length} of ${told()}`);
	}
});

test.run();
