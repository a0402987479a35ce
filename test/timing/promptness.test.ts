import { randomBytes } from 'node:crypto';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { generate } from 'mqtt-packet';
import * as assert from 'uvu/assert';
import { Tracker } from '../../broker/index.ts';
import { Journal } from '../../node/download/target/journal.ts';
import { PartFile } from '../../node/download/target/part-file.ts';
import { makeSeed } from '../../node/hashing/make-seed.ts';
import { openTcpStream } from '../../node/lanes/transport/tcp-stream.ts';
import type { TraceEvent } from '../../node/stats/trace.ts';
import { Link, Seed } from '../../protocol/index.ts';
import { Peer } from '../helpers/adversaries/peer.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { seedOf } from '../helpers/fixtures/seeds.ts';
import { canMount, smallDisk } from '../helpers/fixtures/small-disk.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import type { Scope } from '../helpers/harness/suite.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';
import { until } from '../helpers/harness/until.ts';

const test = await timingSuite('prompt reactions of a node');
const MIB = 2 ** 20;
const TIB = 2 ** 40;

/** A seed for `length` bytes with arbitrary digests. */
function seedOfLength(length: number): Seed {
	const chunkDigests = new Uint8Array((length / (4 * MIB)) * 32).fill(2);
	const digest = new Uint8Array(32).fill(1);
	return new Seed({ name: 'bomb.bin', length, kind: 'sha256', digest, chunkDigests });
}

async function ms(work: () => Promise<unknown>): Promise<number> {
	const begun = performance.now();
	await work();
	return performance.now() - begun;
}

async function sparseFile(t: Scope, length: number): Promise<string> {
	const path = await makeFile(t, '');
	await truncate(path, length);
	return path;
}

(canMount ? test : test.skip)(
	'T24: on a disk of 8 MiB a content of 1 TiB is refused in less than 100 ms',
	async (t) => {
		const disk = await smallDisk(t, 8);
		const seed = seedOfLength(TIB);
		const { url } = await startBroker(t);
		const liar = await Peer.join(t, url);
		liar.serve(seed, { content: new Uint8Array(0) });
		await liar.announce(seed);
		const node = await startNode(t, url);
		await judge('to refuse it', { unit: 'ms', most: 100 }, async () => {
			return await ms(async () => {
				const error = await rejects(node.get(seed, { output: join(disk, 'bomb.bin') }));
				assert.is(error.code, 'ERR_NO_SPACE');
			});
		});
	},
);

test('T24: a part file larger than the disk is refused in less than 100 ms', async (t) => {
	const large = { ...seedOfLength(4 * TIB), length: 1_024 * TIB, id: 'f'.repeat(64) } as Seed;
	const output = join(await makeFolder(t), 'bomb.bin');
	await judge('to refuse it', { unit: 'ms', most: 100 }, async () => {
		return await ms(async () => {
			assert.is((await rejects(PartFile.open(output, large))).code, 'ERR_NO_SPACE');
		});
	});
});

test('two downloads that start at the same time find each other within 250 ms', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { maxUp: 2 * MIB });
	const { seed } = await seeder.share(await makeFile(t, randomBytes(4 * MIB)));
	await judge('to find each other', { unit: 'ms', most: 250 }, async () => {
		const stop = new AbortController();
		/** When each of the two has asked the seeder, and when it has heard from the other one. */
		const times = await Promise.all(
			[0, 1].map(async () => {
				const times = { asked: 0, found: 0 };
				const trace = (event: TraceEvent): void => {
					if (event.event === 'asked') {
						times.asked ||= performance.now();
					} else if (event.event === 'has' && event.node !== seeder.id) {
						times.found ||= performance.now();
					}
				};
				const node = await startNode(t, url, { trace });
				return { node, times };
			}),
		);
		const output = await makeFolder(t);
		const gets = times.map(async ({ node }, index) => {
			await rejects(node.get(seed.id, { output: join(output, `${index}`), signal: stop.signal }));
			await node.close();
		});
		await until('both have found the other', () => times.every((each) => each.times.found > 0));
		stop.abort();
		await Promise.all(gets);
		const both = times.map((each) => each.times);
		return (
			Math.max(...both.map(({ found }) => found)) - Math.max(...both.map(({ asked }) => asked))
		);
	});
});

test('hashing 8 GiB stops within 0.5 s after it is aborted', async (t) => {
	const path = await sparseFile(t, 8_192 * MIB);
	await judge('to stop', { unit: 'ms', most: 500 }, async () => {
		const stop = new AbortController();
		let hashed = 0;
		const onBytes = (bytes: number): void => {
			hashed += bytes;
		};
		const hashing = rejects(makeSeed(path, { signal: stop.signal, onBytes }));
		await until('hashing has begun', () => hashed > 0);
		return await ms(async () => {
			stop.abort();
			await hashing;
		});
	});
});

test('hashing 512 MiB does not block the event loop', async (t) => {
	const path = await sparseFile(t, 512 * MIB);
	const heldUp = async (): Promise<IntervalHistogram> => {
		const delay = monitorEventLoopDelay({ resolution: 5 });
		delay.enable();
		await makeSeed(path);
		delay.disable();
		return delay;
	};
	// Hashing on the event loop would block it once, for half a second.
	await judge('delay of the event loop, p99', { unit: 'ms', most: 100 }, async () => {
		return (await heldUp()).percentile(99) / 1e6;
	});
	await judge('longest delay of the event loop', { unit: 'ms', most: 400 }, async () => {
		return (await heldUp()).max / 1e6;
	});
});

test('a journal is written after 16 MiB, before its 250 ms are over', async (t) => {
	const seed = seedOf(new Uint8Array(40 * MIB), { chunkSize: MIB });
	await judge('to record', { unit: 'ms', most: 200 }, async () => {
		const folder = await makeFolder(t);
		const path = join(folder, 'journal');
		await writeFile(join(folder, 'part'), '');
		const part = await stat(join(folder, 'part'), { bigint: true });
		const journal = new Journal({ path, seed, part, bootId: 'b007' });
		t.defer(() => journal.close());
		for (let chunk = 0; chunk < seed.chunks; chunk += 1) {
			journal.record(chunk);
		}
		return await ms(async () => {
			await until('it is written', async () => (await readFile(path).catch(() => '')).length > 0);
		});
	});
});

test('a node closes within two seconds if nothing that it publishes is acknowledged', async (t) => {
	await judge('to close', { unit: 'ms', most: 2_000 }, async () => {
		const plain = await startPlainBroker(t);
		const tracker = await Tracker.start({ url: plain.url, isAlone: true });
		t.defer(() => tracker.close());
		const node = await startNode(t, plain.url);
		await node.share(await makeFile(t, 'something'));
		plain.aedes.authorizePublish = (client, _packet, done) => {
			if (client?.id !== node.id) {
				done(null);
			}
		};
		return await ms(() => node.close());
	});
});

test('with a keepalive of 1 s a link is down within 3 s after its broker falls silent', async (t) => {
	await judge('to give it up', { unit: 'ms', most: 3_000 }, async () => {
		const server = createServer((socket: Socket) => {
			socket.on('error', () => {});
			socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }));
			t.defer(() => socket.destroy());
		});
		t.defer(() => server.close());
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const url = `mqtt://127.0.0.1:${(server.address() as { port: number }).port}`;
		const link = await Link.open({
			url,
			id: 'thin-link-1',
			keepalive: 1,
			openStream: (onMessage) => openTcpStream(url, onMessage),
		});
		t.defer(() => link.close());
		return await ms(() => until('it is given up', () => !link.isUp));
	});
});

test.run();
