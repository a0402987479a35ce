import * as assert from 'uvu/assert';
import { type Broker, startWebFront, Tracker } from '../../../broker/index.ts';
import { LoadMeter, type LoadSource } from '../../../broker/net/load-meter.ts';
import { Link, type Load, makeNodeId, Topics } from '../../../protocol/index.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { Member } from '../../helpers/harness/member.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('the load of a broker');
const topics = new Topics();
const PART = 200 * 1024;
const PARTS = 15;

/** The load events of `broker` from now on. */
async function loadsOf(t: Scope, broker: Broker): Promise<Load[]> {
	const loads: Load[] = [];
	const link = await Link.open({ url: broker.url, id: makeNodeId() });
	t.defer(() => link.close());
	link.on('message', ({ topic, payload }) => {
		if (topic === topics.event('load')) {
			loads.push(JSON.parse(Buffer.from(payload).toString()));
		}
	});
	await link.subscribe(topics.event('load'));
	return loads;
}

test('rates are averages over the time since the last read, however long ago that was', (t) => {
	const clock = fakeClock();
	let source: LoadSource = { clients: 1, received: 500, sent: 900, queued: 0, shed: 3 };
	const meter = new LoadMeter(() => source, clock.now);
	t.defer(() => meter.close());
	source = { clients: 2, received: 4_500, sent: 20_900, queued: 70, shed: 4 };
	clock.advance(4_000);
	const { lag, cpu, ...rest } = meter.read();
	assert.equal(rest, { clients: 2, received: 1_000, sent: 5_000, queued: 70, shed: 0.3 });
	assert.ok(lag >= 0 && cpu >= 0);
	clock.advance(1_000);
	const { received, sent, shed } = meter.read();
	assert.equal([received, sent, shed], [0, 0, 0]);
});

test('the meter shows that the event loop was blocked, and the CPU time that was used', async (t) => {
	const none = { clients: 0, received: 0, sent: 0, queued: 0, shed: 0 };
	const clock = fakeClock();
	const meter = new LoadMeter(() => none, clock.now);
	t.defer(() => meter.close());
	const wait = () => new Promise((resolve) => setTimeout(resolve, 60));
	await wait();
	const before = process.cpuUsage();
	while (process.cpuUsage(before).user < 200_000) {
		// Blocks the event loop.
	}
	await wait();
	clock.advance(400);
	const { lag, cpu } = meter.read();
	assert.ok(lag >= 100, `${lag} ms`);
	assert.ok(cpu >= 0.5, `${cpu} of a core`);
});

test('every two seconds watchers receive the load of a broker with a tracker: TCP, WebSocket and ended connections', async (t) => {
	const broker = await startBroker(t);
	const bare = await startBroker(t, { tracker: false });
	const openStream = () => bare.openStream();
	const standalone = await Tracker.start({ url: bare.url, openStream, isAlone: true });
	t.defer(() => standalone.close());
	const silence = await loadsOf(t, bare);
	const loads = await loadsOf(t, broker);
	const front = await startWebFront(broker, { port: 0 });
	t.defer(() => front.close());
	const ann = await Member.join(t, broker.url);
	const bob = await Member.join(t, `${front.url.replace('http', 'ws')}/mqtt`);
	// Different amounts each way: if the bytes of one connection were missing, the sums would differ.
	const ways = [
		[ann, bob, PARTS],
		[bob, ann, PARTS / 3],
	] as const;
	for (const [from, to, parts] of ways) {
		for (let count = 0; count < parts; count += 1) {
			from.link.send(topics.chunk(to.id, from.id), new Uint8Array(PART));
		}
		const chunks = () => to.messages.filter(({ payload }) => payload.length === PART).length;
		await until('all have come', () => chunks() === parts);
	}
	await ann.link.close();
	const told = loads.length;
	await until('two more load events', () => loads.length >= told + 2);
	const sum = (way: 'received' | 'sent') => loads.reduce((sum, load) => sum + load[way], 0);
	// Every received byte was sent once, in the same seconds, however long that took.
	const ratio = sum('sent') / sum('received');
	assert.ok(ratio > 0.7 && ratio < 1.4, `${sum('sent')} of ${sum('received')}`);
	await until('it goes on', () => loads.at(-1)?.received === 0);
	assert.is(loads.at(-1)?.clients, 2);
	assert.equal(silence, [], 'a standalone tracker publishes no load');
});

test.run();
