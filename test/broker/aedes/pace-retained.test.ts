import { Duplex, Readable } from 'node:stream';
import type { Client, PublishPacket } from 'aedes';
import * as assert from 'uvu/assert';
import { keepRetainedIn, paceRetained } from '../../../broker/aedes/internals.ts';
import { closeAedes, listenAedes, makeAedes } from '../../../broker/aedes/make-aedes.ts';
import { connectPacket, subscribePacket } from '../../helpers/adversaries/raw-client.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('the pace of retained messages');

/**
 * Subscribes a client that reads nothing to 100 retained messages of 1,000 bytes.
 *
 * @returns the stream to the client; how many of the messages the store has given; and a function by
 *   which the client begins to read
 */
async function subscribeUnread(t: Scope, prepare: (client: Client) => void) {
	const aedes = makeAedes(
		{ preConnect: (_client, _packet, done) => done(null, true) },
		{ connectTime: 60_000 },
	);
	await listenAedes(aedes);
	t.defer(() => closeAedes(aedes));
	let given = 0;
	const messages = function* (): Generator<PublishPacket> {
		const flags = { cmd: 'publish', qos: 0, retain: true, dup: false } as const;
		for (; given < 100; given += 1) {
			yield { topic: `kept/${given}`, payload: Buffer.alloc(1_000), ...flags };
		}
	};
	keepRetainedIn(aedes, {
		storeRetained: async () => {},
		createRetainedStream: () => Readable.from(messages()),
		createRetainedStreamCombi: () => Readable.from(messages()),
	});
	let written: (() => void) | undefined;
	let reads = false;
	const stream = new Duplex({
		writableHighWaterMark: 1_000_000,
		read: () => {},
		write: (_bytes, _encoding, done) => {
			written = done;
			if (reads) {
				done();
			}
		},
	});
	aedes.on('client', prepare);
	aedes.handle(stream);
	stream.push(Buffer.concat([connectPacket('client-01'), subscribePacket('kept/+', 0)]));
	const read = (): void => {
		reads = true;
		written?.();
	};
	return { stream, given: () => given, read };
}

test('with paceRetained, a client that reads nothing has a short queue, and later gets all', async (t) => {
	const paced = (client: Client): void => paceRetained(client, 10_000);
	const { stream, given, read } = await subscribeUnread(t, paced);
	await until('the queue is filled', () => stream.writableLength > 10_000);
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert.ok(stream.writableLength < 12_000, `${stream.writableLength} bytes`);
	read();
	await until('it has all', () => given() === 100 && stream.writableLength === 0);
});

test('with paceRetained, no more messages are read from the store for a client that has left', async (t) => {
	const paced = (client: Client): void => paceRetained(client, 10_000);
	const { stream, given } = await subscribeUnread(t, paced);
	await until('the queue is filled', () => stream.writableLength > 10_000);
	stream.destroy();
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert.ok(given() < 50, `${given()} messages`);
});

test('without paceRetained, its queue has all messages: if this fails, paceRetained is not needed any more', async (t) => {
	const { stream } = await subscribeUnread(t, () => {});
	await until('all are queued', () => stream.writableLength > 100_000);
});

test.run();
