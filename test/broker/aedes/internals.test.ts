import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Readable } from 'node:stream';
import type { Aedes, Client, PublishPacket, Subscription } from 'aedes';
import mqttPacket from 'mqtt-packet';
import * as assert from 'uvu/assert';
import { endingOf } from '../../../broker/aedes/connection-end.ts';
import {
	deliverAll,
	grantedOf,
	isWill,
	keepAlive,
	keepRetainedIn,
	lowerQos,
	lowersNoOther,
	onAedesError,
} from '../../../broker/aedes/internals.ts';
import {
	closeAedes,
	type Hooks,
	listenAedes,
	makeAedes,
} from '../../../broker/aedes/make-aedes.ts';
import { RetainedStore } from '../../../broker/aedes/retained-store.ts';
import {
	connectPacket,
	connectRaw,
	messagesOf,
	openRaw,
	publishPacket,
	type RawClient,
	subscribePacket,
	unsubscribePacket,
} from '../../helpers/adversaries/raw-client.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

// These tests check everything in the installed Aedes that broker/aedes/internals.ts relies on.
// If a test fails, a new version of Aedes has changed what the test names.

const test = suite('the private parts of Aedes');
const SECOND = 1_000;

interface Started {
	readonly aedes: Aedes;
	readonly port: number;
}

/** Starts an Aedes on a free port. It allows every client everything that `hooks` do not refuse. */
async function start(
	t: Scope,
	hooks: Partial<Hooks> = {},
	connectTime = 60_000,
	listen = listenAedes,
): Promise<Started> {
	const aedes = makeAedes(
		{ preConnect: (_client, _packet, done) => done(null, true), ...hooks },
		{ connectTime },
	);
	await listen(aedes);
	const server = createServer((socket) => aedes.handle(socket));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(async () => {
		server.close();
		await closeAedes(aedes);
	});
	return { aedes, port: (server.address() as AddressInfo).port };
}

/** Connects a client. @returns its connection, and the object that Aedes has for this client */
async function join({ aedes, port }: Started, t: Scope, keepalive = 600) {
	const ready = once(aedes, 'clientReady') as Promise<[Client]>;
	const raw = await openRaw(t, port);
	raw.socket.write(connectPacket('client-01', undefined, keepalive));
	const [client] = await ready;
	return { raw, client };
}

async function subscribe({ aedes }: Started, raw: RawClient, filter: string) {
	const subscribed = once(aedes, 'subscribe') as Promise<[Subscription[], Client]>;
	raw.socket.write(subscribePacket(filter));
	const [subscriptions] = await subscribed;
	return subscriptions;
}

test('a client has a keep-alive timer that can be refreshed, and that disconnects the client', async (t) => {
	const started = await start(t);
	const { raw, client } = await join(started, t, 1);
	const began = performance.now();
	const timer = setInterval(() => keepAlive(client), 0.2 * SECOND);
	t.defer(() => clearInterval(timer));
	// Aedes disconnects the client after 1.5 times the keep-alive of one second.
	await new Promise((resolve) => setTimeout(resolve, 2.2 * SECOND));
	assert.not.ok(raw.isClosed(), 'the timer was refreshed');
	clearInterval(timer);
	await until('it is cut', raw.isClosed);
	assert.ok(performance.now() - began > 3 * SECOND, 'refresh restarts the timer');
});

/**
 * Sends a client three messages, of which the second has the smallest number.
 *
 * @returns the topics of the messages that the client received
 */
async function sendUnordered(t: Scope, prepare: (aedes: Aedes, client: Client) => void) {
	const started = await start(t);
	const { raw, client } = await join(started, t);
	const { aedes } = started;
	prepare(aedes, client);
	for (const [topic, brokerCounter] of Object.entries({ first: 1_001, late: 1_000, last: 1_002 })) {
		const numbered = { topic, brokerId: aedes.id, brokerCounter, payload: Buffer.from('x') };
		client.publish({ cmd: 'publish', qos: 0, retain: false, dup: false, ...numbered }, () => {});
	}
	const topics = () => messagesOf(raw).map(({ topic }) => topic);
	await until('the last has come', () => topics().includes('last'));
	return topics();
}

test('with deliverAll a message with a smaller number is delivered', async (t) => {
	const topics = await sendUnordered(t, (aedes, client) => deliverAll(client, aedes.id));
	assert.equal(topics, ['first', 'late', 'last']);
});

test('without deliverAll a message with a smaller number is dropped: if this fails, deliverAll is not needed any more', async (t) => {
	assert.equal(await sendUnordered(t, () => {}), ['first', 'last']);
});

/**
 * Publishes a message with QoS 2 to a client with two subscriptions: `a/#` with QoS 1, and `a/b`,
 * the topic of the message, with QoS 0.
 *
 * @returns the QoS of each of the two copies that the client received, in ascending order
 */
async function overlapping(t: Scope, prepare: (client: Client) => void): Promise<number[]> {
	const started = await start(t);
	const { raw, client } = await join(started, t);
	deliverAll(client, started.aedes.id);
	prepare(client);
	raw.socket.write(subscribePacket('a/#', 1));
	await once(started.aedes, 'subscribe');
	raw.socket.write(subscribePacket('a/b', 0));
	await once(started.aedes, 'subscribe');
	lowersNoOther(client, 'a/b');
	const flags = { cmd: 'publish', qos: 2, retain: false, dup: false } as const;
	started.aedes.publish({ topic: 'a/b', payload: Buffer.from('x'), ...flags }, () => {});
	await until('both copies have come', () => messagesOf(raw).length === 2);
	return messagesOf(raw)
		.map(({ qos }) => qos as number)
		.sort();
}

test('the copy for a wildcard filter has the QoS of lowerQos, whatever QoS was granted for the topic', async (t) => {
	assert.equal(await overlapping(t, (client) => lowerQos(client, () => 1)), [0, 1]);
});

test('without lowerQos the copy keeps the QoS of the message: if this fails, lowerQos is not needed any more', async (t) => {
	assert.equal(await overlapping(t, () => {}), [0, 2]);
});

test('isWill recognizes a will when Aedes asks whether it may be published', async (t) => {
	const asked: boolean[] = [];
	const started = await start(t, {
		authorizePublish: (client, packet, done) => {
			if (client !== null) {
				asked.push(isWill(client, packet));
			}
			done(null);
		},
	});
	const will = { topic: 'gone', payload: 'x' };
	const raw = await connectRaw(t, started.port, 'client-01', will);
	raw.socket.write(publishPacket('gone', Buffer.from('x')));
	await until('it was asked', () => asked.length === 1);
	raw.socket.destroy();
	await until('Aedes has asked about the will', () => asked.length === 2);
	assert.equal(asked, [false, true]);
});

test('Aedes writes retained messages to the store, and reads them from there', async (t) => {
	const started = await start(t);
	const all = { bare: [], ownerOf: () => undefined, mostOfOne: 9, most: 9 };
	const store = new RetainedStore(all);
	keepRetainedIn(started.aedes, store);
	const { raw } = await join(started, t);
	raw.socket.write(publishPacket('kept/topic', Buffer.from('kept'), 0x33));
	await until('it is in the store', () => store.size === 1);
	const flags = { qos: 1, retain: true, dup: false } as const;
	const other: PublishPacket = { cmd: 'publish', topic: 'kept/too', payload: 'too', ...flags };
	await store.storeRetained(other);
	for (const [filter, count] of [
		['kept/too', 1],
		['kept/+', 3],
	] as const) {
		await subscribe(started, raw, filter);
		await until(`those of ${filter} have come`, () => messagesOf(raw).length === count);
	}
	assert.ok(messagesOf(raw).every(({ retain }) => retain));
});

test('Aedes stores the payload object that it asked about, that of a will too', async (t) => {
	const asked: unknown[] = [];
	const started = await start(t, {
		authorizePublish: (_client, { payload }, done) => {
			asked.push(payload);
			done(null);
		},
	});
	const stored: unknown[] = [];
	keepRetainedIn(started.aedes, {
		storeRetained: async ({ payload }) => void stored.push(payload),
		createRetainedStream: () => Readable.from([]),
		createRetainedStreamCombi: () => Readable.from([]),
	});
	const will = { topic: 'wills/a', payload: 'gone' };
	const { socket } = await connectRaw(t, started.port, 'sender-01', will);
	socket.write(publishPacket('kept/a', Buffer.from('one'), 0x33));
	await until('the first is stored', () => stored.length === 1);
	socket.destroy();
	await until('the will is stored', () => stored.length === 2);
	assert.equal(stored.map(String), ['one', 'gone']);
	assert.ok(stored.every((payload, index) => payload === asked[index]));
});

test('the subscribe event contains refused subscriptions, with QoS 128', async (t) => {
	const started = await start(t, {
		authorizeSubscribe: (_client, subscription, done) =>
			done(null, subscription.topic === 'refused' ? null : subscription),
	});
	const { raw } = await join(started, t);
	const refused = await subscribe(started, raw, 'refused');
	assert.equal(
		refused.map(({ topic, qos }) => [topic, qos as number]),
		[['refused', 128]],
	);
	assert.equal(grantedOf(refused), []);
	assert.equal(
		grantedOf(await subscribe(started, raw, 'granted')).map(({ topic }) => topic),
		['granted'],
	);
});

test('subscriptions that end and begin again in one packet of bytes leave nothing behind', async (t) => {
	const started = await start(t);
	const { aedes } = started;
	const { raw } = await join(started, t);
	const ended: string[][] = [];
	aedes.on('unsubscribe', (filters) => ended.push(filters));
	const again = [subscribePacket('a/b', 0), unsubscribePacket('a/b'), subscribePacket('a/b', 1)];
	raw.socket.write(Buffer.concat(again));
	await until('it is subscribed again', () => Buffer.concat(raw.received).length === 18);
	raw.socket.write(unsubscribePacket('a/b'));
	await until('both have ended', () => ended.length === 2);
	const flags = { cmd: 'publish', qos: 0, retain: false, dup: false } as const;
	aedes.publish({ topic: 'a/b', payload: Buffer.from('x'), ...flags }, () => {});
	raw.socket.write(subscribePacket('c/d', 0));
	await until('the next answer', () => Buffer.concat(raw.received).length === 27);
	assert.equal(messagesOf(raw), []);
});

test('a subscription to a filter with too many levels fails, and its end too', async (t) => {
	const { aedes } = await start(t);
	const filter = 'a/'.repeat(200);
	const failures: unknown[] = [];
	const told = (error?: unknown): void => void failures.push(error);
	aedes.subscribe(filter, () => {}, told);
	aedes.unsubscribe(filter, () => {}, told);
	assert.is(failures.length, 2);
	assert.ok(failures.every((failure) => failure instanceof Error));
});

/**
 * Lets the clock of the system jump ahead by an hour, and Aedes look for the wills of other brokers.
 *
 * @returns whether the will of a client that is connected was published
 */
async function willAfterJump(t: Scope, listen?: (aedes: Aedes) => Promise<void>) {
	const { setInterval: set, clearInterval: clear } = globalThis;
	const looks = new Map<unknown, () => void>();
	Object.assign(globalThis, {
		setInterval: (work: () => void, ms: number) => {
			const timer = set(work, ms);
			looks.set(timer, work);
			return timer;
		},
		clearInterval: (timer: NodeJS.Timeout) => {
			looks.delete(timer);
			clear(timer);
		},
	});
	t.defer(() => Object.assign(globalThis, { setInterval: set, clearInterval: clear }));
	const started = await start(t, {}, undefined, listen);
	const published: string[] = [];
	started.aedes.on('publish', ({ topic }) => published.push(topic));
	await connectRaw(t, started.port, 'client-01', { topic: 'gone', payload: 'x' });
	const { now } = Date;
	Object.assign(Date, { now: () => now() + 3_600_000 });
	t.defer(() => Object.assign(Date, { now }));
	// The last one comes before the next heartbeat, by which Aedes knows itself.
	[...looks.values()].at(-1)?.();
	const { socket } = await connectRaw(t, started.port, 'client-02', {
		topic: 'last',
		payload: 'x',
	});
	socket.destroy();
	await until('the other will is published', () => published.includes('last'));
	return published.includes('gone');
}

test('a jump of the clock publishes no will of a client that is connected', async (t) => {
	assert.not(await willAfterJump(t));
});

test('without leaveWills it does: if this fails, leaveWills is not needed any more', async (t) => {
	assert.ok(await willAfterJump(t, (aedes) => aedes.listen()));
});

test('a client that sends no CONNECT ends with an error whose text endingOf knows', async (t) => {
	const started = await start(t, {}, 50);
	const ended = once(started.aedes, 'connectionError');
	await openRaw(t, started.port);
	const [, error] = await ended;
	assert.is(endingOf(error).error.code, 'ERR_TIMEOUT');
	assert.is(endingOf(error).refusal, 'silent');
});

test('a client that sends nothing for 1.5 times its keepalive ends with an error whose text endingOf knows', async (t) => {
	const started = await start(t);
	const ended = once(started.aedes, 'clientError');
	const client = await openRaw(t, started.port);
	client.socket.write(connectPacket('silent-01', undefined, 1));
	const [, error] = await ended;
	assert.is(endingOf(error).error.code, 'ERR_TIMEOUT');
	assert.is(endingOf(error).refusal, undefined);
});

test('a failure of the persistence is an error event of Aedes', async (t) => {
	const started = await start(t);
	const failure = new Error('the disk is full');
	const errors: unknown[] = [];
	onAedesError(started.aedes, (error) => errors.push(error));
	const { persistence } = started.aedes as unknown as { persistence: object };
	Object.assign(persistence, { subscriptionsByTopic: () => Promise.reject(failure) });
	const { raw } = await join(started, t);
	raw.socket.write(publishPacket('any/topic', Buffer.from('x'), 0x32));
	await until('the error event', () => errors.includes(failure));
});

test('mqtt-packet has a cache of numbers that can be switched off', async (t) => {
	mqttPacket.writeToStream.cacheNumbers = true;
	assert.ok(mqttPacket.writeToStream.cacheNumbers, 'it is on unless it is switched off');
	const { port } = await start(t);
	assert.not.ok(mqttPacket.writeToStream.cacheNumbers);
	await connectRaw(t, port, 'client-01');
});

test.run();
