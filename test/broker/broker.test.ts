import * as assert from 'uvu/assert';
import { Broker, type Tracker } from '../../broker/index.ts';
import { encodeJson, Link, makeNodeId, Topics } from '../../protocol/index.ts';
import {
	connectPacket,
	connectRaw,
	openRaw,
	packet,
	text,
} from '../helpers/adversaries/raw-client.ts';
import { announce, seedId, state } from '../helpers/fixtures/registry.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { Member, retainedBelow } from '../helpers/harness/member.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('broker');
const topics = new Topics();
const SEED = seedId(1);

test('the broker tells its URL, and a port in use is an error that names --port', async (t) => {
	const { url, port } = await startBroker(t);
	assert.is(url, `mqtt://127.0.0.1:${port}`);
	const error = await rejects(Broker.start({ port }));
	assert.is(error.code, 'ERR_PORT');
	assert.match(error.message, '--port');
});

test('close ends all connections and frees the port at once, and may be called twice', async (t) => {
	const broker = await startBroker(t);
	const { port, url } = broker;
	const ann = await Member.join(t, url);
	await openRaw(t, port);
	await Promise.all([broker.close(), broker.close()]);
	await until('ann notices', () => !ann.link.isUp);
	await ann.link.close();
	const again = await Broker.start({ port });
	await again.close();
});

test('T3: a connection is cut if its first packet is no CONNECT, or a CONNECT that is too large', async (t) => {
	const broker = await startBroker(t);
	const large = packet(0x10, [text('MQTT'), Buffer.alloc(70_000)]);
	const firsts = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map((type) =>
		Buffer.from([type << 4, 2, 0, 1]),
	);
	for (const bytes of [...firsts, large]) {
		const { socket, isClosed } = await openRaw(t, broker.port);
		socket.write(bytes);
		await until(`${bytes[0]} is cut`, isClosed);
	}
	assert.is(broker.stats().refused.packet, firsts.length + 1);
});

test('T3: a client is cut if it sends a packet above the size limit', async (t) => {
	const broker = await startBroker(t);
	const { socket, isClosed } = await connectRaw(t, broker.port, 'sender-01');
	const fits = packet(0x30, [text(topics.chunk('nobody-01', 'sender-01')), Buffer.alloc(262_144)]);
	socket.write(fits);
	const ann = await Member.join(t, broker.url);
	assert.equal(await ann.listed(), []);
	assert.not.ok(isClosed());
	socket.write(Buffer.from([0x30, 0xff, 0xff, 0x7f]));
	await until('it is cut', isClosed);
});

test('T13: a connection is cut if no complete CONNECT arrives in time', async (t) => {
	const broker = await startBroker(t, { limits: { connectTime: 100 } });
	const { socket, isClosed } = await openRaw(t, broker.port);
	socket.write(connectPacket('slow-loris').subarray(0, 5));
	await until('it is cut', isClosed);
	assert.is(broker.stats().refused.silent, 1);
});

test('T13: many silent sockets do not keep a node out', async (t) => {
	const broker = await startBroker(t, { limits: { clients: 20, connectTime: 600_000 } });
	for (let number = 0; number < 50; number++) {
		await openRaw(t, broker.port);
	}
	await Member.join(t, broker.url);
	assert.ok(broker.stats().refused.silent >= 30);
});

test('T5, T6: a client that publishes in the name of another is cut and counted, and the other stays listed', async (t) => {
	const broker = await startBroker(t);
	const [ann, evil] = [await Member.join(t, broker.url), await Member.join(t, broker.url)];
	await ann.share(SEED);
	for (const topic of [topics.announce(SEED, ann.id), topics.nodeState(ann.id)]) {
		await rejects(evil.link.forget(topic));
		await until('evil is back', () => evil.link.isUp);
	}
	assert.is(broker.stats().refused.spoof, 2);
	assert.equal(await ann.listed(), [SEED]);
	assert.is((await retainedBelow(broker.url, topics.announce(SEED, ann.id))).length, 1);
});

test('T7: a will in the name of another is not published', async (t) => {
	const broker = await startBroker(t);
	const ann = await Member.join(t, broker.url);
	await ann.share(SEED);
	const payload = Buffer.from(encodeJson(state(ann.link.session, 'lost'))).toString();
	const will = { topic: topics.nodeState(ann.id), payload };
	const [warnings, refusals]: [string[], unknown[]] = [[], []];
	broker.on('warning', (error) => warnings.push(String(error)));
	broker.on('refused', (refusal) => refusals.push(refusal));
	const { socket } = await connectRaw(t, broker.port, 'evil-will', will);
	socket.destroy();
	await until('the will was refused', () => broker.stats().refused.spoof === 1);
	const about = `will ${will.topic}`;
	assert.equal(refusals, [{ id: 'evil-will', address: '127.0.0.1', reason: 'spoof', about }]);
	assert.match(
		warnings.join(),
		`the will of "evil-will" on "${will.topic}" is not published: spoof`,
	);
	assert.equal(await ann.listed(), [SEED]);
});

test('T8: a client can read neither the inbox of another client nor the system topics', async (t) => {
	const broker = await startBroker(t);
	const [ann, evil] = [await Member.join(t, broker.url), await Member.join(t, broker.url)];
	for (const filter of ['#', '$SYS/#', `${topics.root}/#`, topics.inboxFilter(ann.id)]) {
		assert.is((await rejects(evil.link.subscribe(filter))).code, 'ERR_REFUSED', filter);
	}
	await ann.listed();
	assert.is(broker.stats().refused.filter, 4);
	const foreign = evil.messages.filter(({ topic }) => topic.includes(ann.id));
	assert.equal(foreign, []);
});

test('T10: the sender of a retained message above the size limit is cut', async (t) => {
	const broker = await startBroker(t);
	const ann = await Member.join(t, broker.url);
	const about = { ...announce(ann.link.session), padding: 'x'.repeat(5_000) };
	const topic = topics.announce(SEED, ann.id);
	assert.is((await rejects(ann.link.retain(topic, encodeJson(about)))).code, 'ERR_DISCONNECTED');
	assert.is(broker.stats().refused.size, 1);
	assert.equal(await retainedBelow(broker.url, topic), []);
});

test('T10: subscriptions of one client are limited', async (t) => {
	const broker = await startBroker(t, { limits: { subscriptions: 4 } });
	const ann = await Member.join(t, broker.url);
	await ann.link.subscribe(topics.swarm(SEED, 'other-001'));
	await ann.link.subscribe(topics.swarm(SEED, 'other-002'));
	await rejects(ann.link.subscribe(topics.swarm(SEED, 'other-003')));
	await ann.link.unsubscribe(topics.swarm(SEED, 'other-001'));
	await ann.link.subscribe(topics.swarm(SEED, 'other-004'));
	assert.is(broker.stats().refused.subscriptions, 1);
});

test('T10: a repeated subscription that is refused still counts', async (t) => {
	const broker = await startBroker(t, { limits: { subscriptions: 4, wideBurst: 3 } });
	const ann = await Member.join(t, broker.url);
	const filterOf = (number: number) => `${topics.root}/announce/${seedId(number)}/+`;
	await ann.link.subscribe(filterOf(1));
	let isRefused = false;
	while (!isRefused) {
		await ann.link.subscribe(filterOf(2)).catch(() => {
			isRefused = true;
		});
	}
	const swarm = topics.swarm(SEED, 'other-001');
	assert.is((await rejects(ann.link.subscribe(swarm))).code, 'ERR_REFUSED');
	assert.is(broker.stats().refused.subscriptions, 2);
});

test('T9, F19: the id of a connected client is refused without its password, and taken over with it', async (t) => {
	const broker = await startBroker(t);
	const { url } = broker;
	const id = makeNodeId();
	const owner = await Link.open({ url, id, password: 'secret' });
	t.defer(() => owner.close());
	const wrongPeer = await rejects(Link.open({ url, id, password: 'guess' }));
	assert.is(wrongPeer.code, 'ERR_ID_TAKEN');
	assert.ok(owner.isUp);
	const again = await Link.open({ url, id, password: 'secret' });
	t.defer(() => again.close());
	await owner.close();
	assert.ok(again.isUp);
	assert.is(broker.stats().refused.taken, 1);
	assert.is((await rejects(Link.open({ url, id: 'a b c d e f' }))).code, 'ERR_ID_TAKEN');
});

test('T9: no client takes the id of the tracker', async (t) => {
	const broker = await startBroker(t);
	const { id } = broker.tracker as Tracker;
	let downs = 0;
	broker.tracker?.on('down', () => {
		downs += 1;
	});
	const error = await rejects(Link.open({ url: broker.url, id, password: 'guess' }));
	assert.is(error.code, 'ERR_ID_TAKEN');
	assert.is(broker.stats().refused.taken, 1);
	assert.is(downs, 0);
});

test('an ordinary client with an empty client id and a clean session is accepted', async (t) => {
	const broker = await startBroker(t);
	const { received } = await connectRaw(t, broker.port, '');
	assert.equal(received[0], Buffer.from([0x20, 2, 0, 0]));
});

test('T14: malformed and forbidden packets end only the connection on which they arrive', async (t) => {
	const broker = await startBroker(t);
	const deep = packet(0x30, [text('/'.repeat(60_000)), Buffer.alloc(1)]);
	const rubbish = [
		deep,
		packet(0x30, [text('')]),
		packet(0x30, [text('$SYS/a/b')]),
		packet(0x34, [text(topics.chunk('nobody-01', 'rubbish-1')), Buffer.from([0, 1, 1])]),
		packet(0x82, [Buffer.from([0, 1])]),
		packet(0x30, [text(`${topics.root}/node/__proto__/state`), Buffer.alloc(1)]),
		Buffer.from([0xf0, 0]),
		Buffer.alloc(2_000, 0xff),
	];
	const ann = await Member.join(t, broker.url);
	for (const bytes of rubbish) {
		const { socket, isClosed } = await connectRaw(t, broker.port, 'rubbish-1');
		socket.write(bytes);
		await until(`${bytes.subarray(0, 16).toString('hex')} is cut`, isClosed);
	}
	assert.equal(await ann.listed(), []);
});

test.run();
