import { connect } from 'node:net';
import * as assert from 'uvu/assert';
import { Listener } from '../../broker/peer-listener.ts';
import {
	Connection,
	type Incoming,
	isBusy,
	resolveLimits,
	ShoalError,
	Topics,
} from '../../protocol/index.ts';
import {
	connectRaw,
	openRaw,
	packet,
	subscribePacket,
	text,
} from '../helpers/adversaries/raw-client.ts';
import { nothingLeftOpen, openResources } from '../helpers/harness/open-resources.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('peer listener');
const topics = new Topics();
const HOST = 'listener-1';
const ANN = 'ann-00001';
const BOB = 'bob-00001';

/** A listener that accepts every node with the ticket `good`, and the messages it has received. */
async function start(t: Scope, limits = {}) {
	const received: Incoming[] = [];
	const warnings: unknown[] = [];
	const listener = await Listener.start({
		id: HOST,
		host: '127.0.0.1',
		port: 0,
		topics,
		limits: resolveLimits(limits),
		admit: (_from, ticket) => {
			if (ticket !== 'good') {
				throw new ShoalError('ERR_REFUSED', 'a bad ticket');
			}
		},
		onMessage: (message) => received.push(message),
	});
	t.defer(() => listener.close());
	listener.on('warning', (error) => warnings.push(error));
	const { port } = listener.address;
	const open = async (id: string, ticket: string) => {
		const messages: Incoming[] = [];
		const connection = await Connection.open({
			url: `mqtt://127.0.0.1:${port}`,
			clientId: id,
			password: ticket,
			keepalive: 15,
			timeout: 60_000,
			onMessage: (message) => messages.push(message),
		});
		t.defer(() => connection.destroy());
		return { connection, messages };
	};
	return { listener, port, received, warnings, open };
}

test('a node without a ticket, or with a wrong one, is refused with a warning', async (t) => {
	const { port, warnings, open } = await start(t);
	await rejects(open(ANN, 'bad'));
	await rejects(open(ANN, ''));
	await rejects(open(HOST, 'good'));
	await rejects(connectRaw(t, port, ANN).then(() => open('#', 'good')));
	assert.ok(warnings.length >= 3);
});

test('a node with a ticket receives from its own inbox and sends to the inbox of the listener', async (t) => {
	const { listener, received, open } = await start(t);
	const joined = new Promise<{ send(topic: string, payload: Uint8Array): void }>((resolve) => {
		listener.on('joined', resolve);
	});
	const { connection, messages } = await open(ANN, 'good');
	await connection.subscribe(topics.inboxFilter(ANN));
	const peer = await joined;
	connection.send(topics.request(HOST, ANN), Buffer.from('ask'));
	await until('the request', () => received.length === 1);
	assert.is(Buffer.from(received[0]?.payload ?? []).toString(), 'ask');
	const bytes = Buffer.alloc(1024 * 1024, 7);
	peer.send(topics.chunk(ANN, HOST), bytes);
	await until('the chunk', () => messages.length === 1);
	assert.ok(bytes.equals(messages[0]?.payload ?? new Uint8Array()));
});

test('other inboxes, announces, wildcards, other sender names and large control messages are refused', async (t) => {
	const { received, open } = await start(t);
	for (const filter of [
		'#',
		topics.inboxFilter(BOB),
		topics.trackerState(),
		'shoal/1/announce/+/+',
	]) {
		const { connection } = await open(ANN, 'good');
		assert.is((await rejects(connection.subscribe(filter))).code, 'ERR_REFUSED');
		connection.destroy();
	}
	const seed = 'a'.repeat(64);
	for (const topic of [
		topics.request(HOST, BOB),
		topics.request(BOB, ANN),
		topics.announce(seed, ANN),
		topics.swarm(seed, ANN),
		topics.nodeState(ANN),
	]) {
		const { connection } = await open(ANN, 'good');
		connection.send(topic, Buffer.from('x'));
		await connection.ended;
	}
	const large = await open(ANN, 'good');
	large.connection.send(topics.request(HOST, ANN), Buffer.alloc(65_537));
	await large.connection.ended;
	const { connection } = await open(ANN, 'good');
	await rejects(connection.publish(topics.request(HOST, ANN), Buffer.from('x'), true));
	await connection.ended;
	assert.equal(received, []);
});

test('a connection is cut if its first packet is no CONNECT, or a CONNECT that is too large', async (t) => {
	const { port } = await start(t);
	const wrongPeer = await openRaw(t, port);
	wrongPeer.socket.write(subscribePacket('#'));
	await until('it is cut', () => wrongPeer.isClosed());
	const large = await openRaw(t, port);
	large.socket.write(
		Buffer.concat([
			packet(0x10, [text('MQTT')]).subarray(0, 1),
			Buffer.from([0xff, 0xff, 0xff, 0x7f]),
		]),
	);
	await until('it is cut', () => large.isClosed());
});

test('a new connection of a node replaces its older one', async (t) => {
	const { listener, open } = await start(t);
	let left = 0;
	listener.on('left', () => {
		left += 1;
	});
	const first = await open(ANN, 'good');
	await first.connection.subscribe(topics.inboxFilter(ANN));
	const second = await open(ANN, 'good');
	await second.connection.subscribe(topics.inboxFilter(ANN));
	await first.connection.ended;
	await until('the first has left', () => left === 1);
});

test('connections without CONNECT are limited in number, and do not keep a node out', async (t) => {
	const { port, open } = await start(t);
	let closed = 0;
	for (let index = 0; index < 200; index += 1) {
		const socket = connect(port, '127.0.0.1');
		socket.on('error', () => {});
		socket.on('close', () => {
			closed += 1;
		});
		t.defer(() => socket.destroy());
	}
	await until('those beyond the limit are cut', () => closed >= 200 - 64);
	const { connection } = await open(ANN, 'good');
	await connection.subscribe(topics.inboxFilter(ANN));
});

test('T31: clients without a ticket do not use up the rate of the nodes that have one', async (t) => {
	const { open } = await start(t, { neighbours: 2 });
	for (let index = 0; index < 5; index += 1) {
		assert.is((await rejects(open(ANN, 'bad'))).code, 'ERR_REFUSED');
	}
	await open(BOB, 'good');
});

test('a node that finds no room is told so, and causes no warning', async (t) => {
	const { open, warnings } = await start(t, { neighbours: 1 });
	const { connection } = await open(ANN, 'good');
	await connection.subscribe(topics.inboxFilter(ANN));
	assert.ok(isBusy(await rejects(open(BOB, 'good'))));
	assert.equal(warnings, []);
});

test('a node joins with its first accepted subscription, and not again with the second', async (t) => {
	const { listener, open } = await start(t);
	const events: string[] = [];
	listener.on('joined', ({ id }) => events.push(`joined ${id}`));
	listener.on('left', ({ id }) => events.push(`left ${id}`));
	const { connection } = await open(ANN, 'good');
	await rejects(connection.subscribe('#'));
	assert.equal(events, []);
	await connection.subscribe(topics.inboxFilter(ANN));
	await connection.subscribe(topics.inboxFilter(ANN));
	assert.equal(events, [`joined ${ANN}`]);
	connection.destroy();
	await until('it has left', () => events.length > 1);
	assert.equal(events, [`joined ${ANN}`, `left ${ANN}`]);
});

test('a listener whose port is taken leaves nothing open', async (t) => {
	const { listener } = await start(t);
	const { port } = listener.address;
	const before = openResources();
	const second = Listener.start({
		...{ id: BOB, host: '127.0.0.1', port, topics, limits: resolveLimits() },
		...{ admit: () => {}, onMessage: () => {} },
	});
	assert.is((await rejects(second)).code, 'ERR_PORT');
	await nothingLeftOpen(before);
});

test.run();
