import { Duplex, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Client, PublishPacket } from 'aedes';
import * as assert from 'uvu/assert';
import { keepRetainedIn, paceRetained } from '../../../broker/aedes/internals.ts';
import { closeAedes, listenAedes, makeAedes } from '../../../broker/aedes/make-aedes.ts';
import { RetainedStore } from '../../../broker/aedes/retained-store.ts';
import {
	connectPacket,
	messagesOf,
	subscribePacket,
} from '../../helpers/adversaries/raw-client.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('the pace of retained messages');

function message(topic: string, payload: Buffer): PublishPacket {
	return { cmd: 'publish', topic, payload, qos: 0, retain: true, dup: false };
}

/**
 * Subscribes a client that reads nothing to 100 retained messages of 1,000 bytes.
 *
 * @returns the stream to the client; how many of the messages the store has given; the texts that
 *   the client has read on a topic, and how many messages it has read; and functions by which a
 *   message is published, and the client begins to read
 */
async function subscribeUnread(t: Scope, prepare: (client: Client, store: RetainedStore) => void) {
	const aedes = makeAedes(
		{ preConnect: (_client, _packet, done) => done(null, true) },
		{ connectTime: 60_000 },
	);
	await listenAedes(aedes);
	t.defer(() => closeAedes(aedes));
	const store = new RetainedStore({ bare: [], ownerOf: () => undefined, mostOfOne: 0, most: 0 });
	for (let number = 0; number < 100; number += 1) {
		await store.storeRetained(message(`kept/${number}`, Buffer.alloc(1_000)));
	}
	let given = 0;
	const counted = async function* (packets: Readable): AsyncGenerator<PublishPacket> {
		for await (const packet of packets) {
			given += 1;
			yield packet;
		}
	};
	keepRetainedIn(aedes, {
		storeRetained: (packet) => store.storeRetained(packet),
		createRetainedStream: (filter) => store.createRetainedStream(filter),
		createRetainedStreamCombi: (filters) =>
			Readable.from(counted(store.createRetainedStreamCombi(filters))),
	});
	const received: Buffer[] = [];
	let written: (() => void) | undefined;
	let reads = false;
	const stream = new Duplex({
		writableHighWaterMark: 1_000_000,
		read: () => {},
		write: (bytes, _encoding, done) => {
			received.push(Buffer.from(bytes));
			written = done;
			if (reads) {
				done();
			}
		},
	});
	aedes.on('client', (client) => prepare(client, store));
	aedes.handle(stream);
	stream.push(Buffer.concat([connectPacket('client-01'), subscribePacket('kept/+', 0)]));
	return {
		stream,
		given: () => given,
		textsOf: (topic: string) =>
			messagesOf({ received })
				.filter((each) => each.topic === topic)
				.map(({ payload }) => String(payload)),
		messages: () => messagesOf({ received }).length,
		publish: (topic: string, text: string) =>
			new Promise<void>((resolve) => {
				aedes.publish(message(topic, Buffer.from(text)), () => resolve());
			}),
		read: (): void => {
			reads = true;
			written?.();
		},
	};
}

function paced(client: Client, store: RetainedStore): void {
	paceRetained(client, 10_000, (packet) => store.isRetained(packet));
}

/** So many turns of the event loop that Aedes sends all messages meanwhile, unless it is paced. */
async function manyTurns(): Promise<void> {
	for (let turn = 0; turn < 2_000; turn += 1) {
		await setImmediate();
	}
}

test('with paceRetained, a client that reads nothing has a short queue, and later gets all', async (t) => {
	const { stream, messages, read } = await subscribeUnread(t, paced);
	await manyTurns();
	const queued = stream.writableLength;
	assert.ok(queued > 10_000 && queued < 12_000, `${queued} bytes`);
	read();
	await until('it has all', () => messages() === 100);
});

test('with paceRetained, no more messages are read from the store for a client that has left', async (t) => {
	const { stream, given } = await subscribeUnread(t, (client) => {
		paceRetained(client, 1e6, () => true);
	});
	while (stream.writableLength < 1_000) {
		await setImmediate();
	}
	stream.destroy();
	await manyTurns();
	assert.ok(given() < 50, `${given()} messages`);
});

test('with paceRetained, what is changed or deleted while the client does not read is not sent as it was', async (t) => {
	const { given, messages, publish, read, textsOf } = await subscribeUnread(t, paced);
	await manyTurns();
	// The store has given these two already, and they wait to be sent.
	const [changed, deleted] = [`kept/${given() - 2}`, `kept/${given() - 1}`];
	await publish(changed, 'new');
	await publish(deleted, '');
	read();
	await until('it has all', () => messages() >= 100);
	await manyTurns();
	assert.equal(textsOf(changed), ['new']);
	assert.equal(textsOf(deleted), ['']);
});

test('without paceRetained, its queue has all messages: if this fails, paceRetained is not needed any more', async (t) => {
	const { stream } = await subscribeUnread(t, () => {});
	await manyTurns();
	assert.ok(stream.writableLength > 100_000, `${stream.writableLength} bytes`);
});

test.run();
