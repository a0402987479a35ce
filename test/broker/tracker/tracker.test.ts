import * as assert from 'uvu/assert';
import { Broker, Tracker, type TrackerOptions } from '../../../broker/index.ts';
import { resolveTracker } from '../../../broker/tracker/tracker-options.ts';
import { encodeJson, type Limits, LONGEST_TIMER, Topics } from '../../../protocol/index.ts';
import { acceptOnly, startFakeBroker } from '../../helpers/adversaries/fake-broker.ts';
import { seedId } from '../../helpers/fixtures/registry.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { jumpingClock } from '../../helpers/harness/clock.ts';
import { Member, retainedBelow } from '../../helpers/harness/member.ts';
import { startMosquitto } from '../../helpers/harness/mosquitto.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('tracker');
const topics = new Topics();
const SEED = seedId(1);
const TTL = 90_000;
/** The time of the probe is so long that another tracker has always answered before. */
const PATIENT = { sweep: 50, probe: 60_000 };

async function startTracker(t: Scope, options: TrackerOptions): Promise<Tracker> {
	const tracker = await Tracker.start({ ...PATIENT, ...options });
	t.defer(() => tracker.close());
	return tracker;
}

/** The brokers on which a tracker can work: shoal broker and Mosquitto. */
const places: Record<string, (t: Scope, limits: Partial<Limits>) => Promise<string | undefined>> = {
	'our broker': async (t, limits) => (await startBroker(t, { limits })).url,
	mosquitto: async (t, limits) => {
		const mosquitto = await startMosquitto(t);
		if (mosquitto !== undefined) {
			await startTracker(t, { url: mosquitto.url, limits });
		}
		return mosquitto?.url;
	},
};

for (const [place, open] of Object.entries(places)) {
	test(`on ${place} seeds are announced, listed in pages, queried and withdrawn`, async (t) => {
		const url = await open(t, { listPage: 2 });
		if (url === undefined) {
			return;
		}
		const [ann, bob] = [await Member.join(t, url), await Member.join(t, url)];
		for (const number of [3, 1, 2]) {
			await ann.share(seedId(number));
		}
		await bob.share(SEED, 1);
		await until('both are known', async () => (await bob.query(SEED)).nodes.length === 2);
		const first = await bob.seeds();
		assert.equal(
			first.seeds.map(({ seed, seeders, downloaders }) => [seed, seeders, downloaders]),
			[
				[SEED, 1, 1],
				[seedId(2), 1, 0],
			],
		);
		const second = await bob.seeds(first.next);
		assert.equal([second.seeds.length, second.next], [1, undefined]);
		await ann.withdraw(SEED);
		await until('one is left', async () => (await bob.query(SEED)).seeders === 0);
	});

	test(`on ${place} a matching update is answered with ok and renews, and another one with again`, async (t) => {
		const clock = jumpingClock(t);
		const url = await open(t, { ttl: TTL });
		if (url === undefined) {
			return;
		}
		const ann = await Member.join(t, url);
		await ann.share(SEED);
		await until('it is listed', async () => (await ann.listed()).length === 1);
		for (let slot = 0; slot < 4; slot += 1) {
			clock.advance(TTL / 2);
			assert.is((await ann.update()).status, 'ok');
		}
		assert.equal(await ann.listed(), [SEED]);
		ann.shared.delete(SEED);
		assert.is((await ann.update()).status, 'again');
	});

	test(`on ${place} an announce that is not renewed expires, and is not retained any more`, async (t) => {
		const clock = jumpingClock(t);
		const url = await open(t, { ttl: TTL });
		if (url === undefined) {
			return;
		}
		const [ann, bob] = [await Member.join(t, url), await Member.join(t, url)];
		await ann.share(SEED);
		await until('it is listed', async () => (await bob.listed()).length === 1);
		clock.advance(TTL);
		await until('it is not listed', async () => (await bob.listed()).length === 0);
		await until(
			'it is not retained',
			async () => (await retainedBelow(url, topics.announce(SEED, ann.id))).length === 0,
		);
	});

	test(`on ${place} a node that dies is hidden at once, and its announces are cleared one ttl later`, async (t) => {
		const clock = jumpingClock(t);
		const url = await open(t, { ttl: TTL });
		if (url === undefined) {
			return;
		}
		const [ann, bob] = [await Member.join(t, url), await Member.join(t, url)];
		await ann.share(SEED);
		await until('it is listed', async () => (await bob.listed()).length === 1);
		ann.link.drop();
		await ann.link.close();
		await until('it is hidden', async () => (await bob.listed()).length === 0);
		assert.equal(await retainedBelow(url, topics.announce(SEED, ann.id)), [
			topics.announce(SEED, ann.id),
		]);
		clock.advance(TTL);
		await until(
			'nothing is kept of it',
			async () => (await retainedBelow(url, topics.announce(SEED, ann.id))).length === 0,
		);
	});
}

test('a malformed message is counted, reported as a warning and cleared, and the tracker goes on', async (t) => {
	const { url, tracker } = await startBroker(t);
	const warnings: unknown[] = [];
	tracker?.on('warning', (warning) => warnings.push(warning));
	const ann = await Member.join(t, url);
	const rubbish = encodeJson({ op: 'update', __proto__: 1, id: 7 });
	await ann.link.publish(topics.trackerRequest(ann.id), rubbish);
	await ann.link.retain(topics.announce(SEED, ann.id), rubbish);
	await ann.link.retain(topics.nodeState(ann.id), new Uint8Array([0xff]));
	await until('three are counted', () => tracker?.stats().malformed === 3);
	assert.is(warnings.length, 3);
	await until(
		'none is retained',
		async () => (await retainedBelow(url, topics.announce(SEED, ann.id))).length === 0,
	);
	assert.equal(await ann.listed(), []);
});

test('T10: the reply to the next update lists refused announces, and the broker does not retain them', async (t) => {
	const broker = await startBroker(t, { limits: { nodeAnnounces: 2 } });
	const ann = await Member.join(t, broker.url);
	for (const number of [1, 2, 3]) {
		await ann.share(seedId(number));
	}
	const { status, refused } = await ann.update();
	assert.equal([status, refused], ['ok', [seedId(3)]]);
	assert.is(broker.tracker?.stats().refused['node-announces'], 1);
	await until('it is cleared', () => broker.stats().retained === 4);
});

test('watchers receive an event for each change', async (t) => {
	const { url } = await startBroker(t);
	const watcher = await Member.join(t, url);
	// When the watcher has an answer, the tracker has sent the event of its joining.
	await watcher.listed();
	await watcher.link.subscribe(`${topics.root}/event/+`);
	const ann = await Member.join(t, url);
	await ann.share(SEED, 1);
	await ann.share(SEED, 3);
	await ann.withdraw(SEED);
	const kinds = (): string[] =>
		watcher.messages.flatMap(({ topic }) => {
			const parsed = topics.tryParse(topic);
			return parsed?.kind === 'event' ? [parsed.event] : [];
		});
	await until('the last event', () => kinds().includes('seed-gone'));
	assert.equal(kinds(), [
		'node-joined',
		'seed-added',
		'download-started',
		'download-complete',
		'seed-gone',
	]);
});

test('F3: a restarted tracker has its whole list again at once, from retained messages', async (t) => {
	const mosquitto = await startMosquitto(t);
	if (mosquitto === undefined) {
		return;
	}
	const { url } = mosquitto;
	const first = await startTracker(t, { url });
	const [ann, bob] = [await Member.join(t, url), await Member.join(t, url)];
	await ann.share(SEED);
	await until('it is listed', async () => (await bob.listed()).length === 1);
	await first.close();
	await until('lost', () => bob.tracker?.state === 'lost');
	await startTracker(t, { url });
	await until('ready', () => bob.tracker?.state === 'ready');
	await until('it is listed again', async () => (await bob.listed()).length === 1);
	assert.is((await ann.update()).status, 'ok');
});

test('F1: after a restart of the broker the list is complete again', async (t) => {
	const first = await startBroker(t);
	const { url, port } = first;
	const members = await Promise.all(Array.from({ length: 20 }, () => Member.join(t, url)));
	await Promise.all(members.map((member, number) => member.share(seedId(number))));
	const [ann] = members as [Member];
	await until('all are listed', async () => (await ann.listed()).length === 20);
	await first.close();
	const second = await Broker.start({ port });
	t.defer(() => second.close());
	await until('all are listed', () => second.tracker?.stats().announces === 20);
});

test('F1: a tracker reconnects to a restarted broker, and its state is retained again', async (t) => {
	const mosquitto = await startMosquitto(t);
	if (mosquitto === undefined) {
		return;
	}
	const tracker = await startTracker(t, { url: mosquitto.url });
	const ann = await Member.join(t, mosquitto.url);
	await ann.share(SEED);
	const session = ann.tracker?.session;
	await mosquitto.stop();
	await mosquitto.start();
	await until('a new session', () => ann.tracker?.session !== session && ann.link.isUp);
	await until('it is ready', () => ann.tracker?.state === 'ready');
	await until('ann is confirmed', async () => (await ann.update()).status === 'ok');
	assert.ok(tracker.isActive);
	assert.equal(await ann.listed(), [SEED]);
});

test('a second tracker stands by and takes over when the first is lost', async (t) => {
	for (const { url, openStream, first } of await rivals(t)) {
		const second = await startTracker(t, { url, openStream });
		assert.not.ok(second.isActive);
		const ann = await Member.join(t, url);
		await until('ann knows the first', () => ann.tracker?.tracker === first.id);
		await ann.share(SEED);
		await first.close();
		await until('the second is active', () => second.isActive);
		await until('ann knows the second', () => ann.tracker?.tracker === second.id);
		await until('it knows the seed', async () => (await ann.listed()).length === 1);
	}
});

async function rivals(t: Scope) {
	const broker = await startBroker(t);
	const mosquitto = await startMosquitto(t);
	const ours = {
		url: broker.url,
		openStream: () => broker.openStream(),
		first: broker.tracker as Tracker,
	};
	if (mosquitto === undefined) {
		return [ours];
	}
	const { url } = mosquitto;
	return [ours, { url, openStream: undefined, first: await startTracker(t, { url }) }];
}

test('the retained state ready of a tracker that is gone does not keep another one from taking over', async (t) => {
	const mosquitto = await startMosquitto(t);
	if (mosquitto === undefined) {
		return;
	}
	const { url } = mosquitto;
	const ann = await Member.join(t, url);
	const stale = { state: 'ready', tracker: 'gone-tracker', session: 'session-0' };
	const numbers = { ttl: 90_000, renewal: 30_000, part: 262_144 };
	await ann.link.retain(topics.trackerState(), encodeJson({ ...stale, ...numbers }));
	// The tracker that is gone does not answer the probe.
	const second = await startTracker(t, { url, probe: 500 });
	assert.not.ok(second.isActive);
	await until('it has taken over', () => ann.tracker?.tracker === second.id);
});

test('if two trackers are active, one of them gives way', async (t) => {
	const broker = await startBroker(t);
	const { url } = broker;
	const first = broker.tracker as Tracker;
	const openStream = () => broker.openStream();
	const second = await startTracker(t, { url, openStream, isAlone: true });
	const ann = await Member.join(t, url);
	await until('one is active', () => first.isActive !== second.isActive);
	const winner = first.isActive ? first : second;
	await until('its state stands', () => ann.tracker?.tracker === winner.id);
	assert.is(winner.id, [first.id, second.id].sort()[0]);
	await ann.seeds();
});

test('close may be called twice, and while the broker is gone', async (t) => {
	const broker = await startBroker(t);
	const { url } = broker;
	const tracker = await startTracker(t, { url, openStream: () => broker.openStream() });
	await broker.close();
	await Promise.all([tracker.close(), tracker.close()]);
	await broker.close();
});

test('close does not wait for a broker that has stopped answering', async (t) => {
	let connects = 0;
	const other = { state: 'ready', tracker: 'another-one', session: 'session-1' };
	const state = encodeJson({ ...other, ttl: 90_000, renewal: 30_000, part: 262_144 });
	const payload = Buffer.from(state);
	const fake = await startFakeBroker(t, (packet, reply, socket) => {
		connects += packet.cmd === 'connect' ? 1 : 0;
		if (connects < 3) {
			acceptOnly(packet, reply, socket);
		}
		if (packet.cmd === 'subscribe') {
			const { messageId = 0, subscriptions } = packet;
			reply({ cmd: 'suback', messageId, granted: subscriptions.map(() => 0) });
			const topic = topics.trackerState();
			reply({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: true });
		}
	});
	const { url } = fake;
	const active = await startTracker(t, { url, isAlone: true });
	const taking = await startTracker(t, { url, probe: 20 });
	await until('it takes over', () => connects === 3);
	const start = performance.now();
	await Promise.all([active.close(), taking.close()]);
	await until('only the connection that is being made is left', () => fake.sockets.size === 1);
	assert.ok(performance.now() - start < 5_000);
});

test('times that are too long for timers are shortened', () => {
	const { sweep, probe } = resolveTracker({ url: '', sweep: 2 ** 31, probe: 2 ** 40 });
	assert.equal([sweep, probe], [LONGEST_TIMER, LONGEST_TIMER]);
});

test.run();
