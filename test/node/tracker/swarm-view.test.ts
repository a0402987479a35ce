import widthOf from 'string-width';
import * as assert from 'uvu/assert';
import { swarmScreen } from '../../../node/cli/terminal/swarm-screen.ts';
import { SwarmView } from '../../../node/tracker/swarm-view.ts';
import { encodeJson, type Topic, Topics } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('SwarmView');

const SEED = 'ab'.repeat(32);
const NONE = new Uint8Array();
const READY = encodeJson({
	...{ state: 'ready', tracker: 'tracker-1', session: 'session-0001' },
	...{ ttl: 90_000, renewal: 30_000, part: 262_144 },
});
const topics = new Topics();
const topic = (text: string): Topic => topics.tryParse(text) as Topic;
const announceTopic = (node: string): Topic => topic(topics.announce(SEED, node));
const announce = (
	count: number,
	{ name = 'file.bin', session = 'session-0001' } = {},
): Uint8Array =>
	encodeJson({
		name,
		length: 640,
		chunks: 64,
		have: { count, map: `${'f'.repeat(count)}${'0'.repeat(64 - count)}` },
		ttl: 90_000,
		session,
	});
const state = (is: string, up = 0, about: object = {}): Uint8Array =>
	encodeJson({ state: is, session: 'session-0001', addresses: [], up, down: 0, ...about });
const stateTopic = (node: string): Topic => topic(topics.nodeState(node));
/** Adds a node that is ready and has announced `count` chunks. */
const join = (view: SwarmView, node: string, count = 64): void => {
	view.apply(stateTopic(node), state('ready'));
	view.apply(announceTopic(node), announce(count));
};
const shownBy = (view: SwarmView): string[] => view.holders(SEED).map(({ node }) => node);

test('control messages become events, and the view is built from them', () => {
	const view = new SwarmView();
	assert.is(view.apply(topic(topics.nodeState('node-one')), state('ready', 5))?.event, 'state');
	const event = view.apply(announceTopic('node-one'), announce(16));
	assert.equal(
		[event?.event, event?.seed, event?.node, event?.have],
		['announce', SEED, 'node-one', 16],
	);
	join(view, 'node-two');
	const [swarm] = view.swarms();
	assert.equal(
		swarm?.nodes.map(({ node }) => node),
		['node-two', 'node-one'],
	);
	assert.is(swarm?.nodes[1]?.state?.up, 5);
});

test('a node that withdraws, leaves or is lost is removed from the view', () => {
	const view = new SwarmView();
	for (const node of ['node-one', 'node-two', 'node-three']) {
		join(view, node);
	}
	assert.is(view.apply(announceTopic('node-one'), NONE)?.event, 'withdrawn');
	view.apply(topic(topics.nodeState('node-two')), state('lost'));
	assert.is(view.swarms()[0]?.nodes.length, 1);
	view.apply(topic(topics.nodeState('node-three')), NONE);
	assert.equal(view.swarms(), []);
});

test('retained announces of nodes that are gone are not counted', () => {
	const changes: Array<[node: string, was: boolean, is: boolean]> = [];
	const view = new SwarmView((_seed, node, was, is) =>
		changes.push([node, was !== undefined, is !== undefined]),
	);
	view.apply(stateTopic('node-lost'), state('lost'));
	view.apply(announceTopic('node-lost'), announce(1));
	view.apply(announceTopic('node-unknown'), announce(1));
	assert.equal([view.swarms(), changes], [[], []]);
	view.apply(stateTopic('node-unknown'), state('ready'));
	assert.equal(shownBy(view), ['node-unknown']);
	view.apply(announceTopic('node-unknown'), NONE);
	assert.equal(changes, [
		['node-unknown', false, true],
		['node-unknown', true, false],
	]);
});

test('an announce of an earlier session counts only after the node repeats it in the new session', () => {
	const view = new SwarmView();
	join(view, 'node-one');
	const again = { session: 'session-0002' };
	view.apply(stateTopic('node-one'), state('ready', 0, again));
	assert.equal(shownBy(view), []);
	view.apply(announceTopic('node-one'), announce(64, again));
	assert.equal(shownBy(view), ['node-one']);
	view.apply(stateTopic('node-one'), state('lost'));
	assert.equal(shownBy(view), ['node-one'], 'the will of an earlier session is ignored');
});

test('without a connection the view stays; entries that are not repeated after the reconnect are removed by settle', () => {
	const view = new SwarmView();
	join(view, 'node-one');
	join(view, 'node-two');
	view.apply(topic(topics.trackerState()), READY);
	view.interrupt();
	assert.ok((view.cutOffSince as number) <= Date.now());
	assert.equal([view.hasTracker, shownBy(view)], [false, ['node-one', 'node-two']]);
	view.apply(topic(topics.trackerState()), READY);
	join(view, 'node-two');
	view.resume();
	assert.equal([view.cutOffSince, view.hasTracker], [undefined, true]);
	assert.equal(shownBy(view), ['node-one', 'node-two']);
	view.settle();
	assert.equal([shownBy(view), [...view.nodes.keys()]], [['node-two'], ['node-two']]);
});

test('the late state lost of a replaced tracker does not hide its successor', () => {
	const view = new SwarmView();
	view.apply(topic(topics.trackerState()), READY);
	const lost = { state: 'lost', tracker: 'tracker-1' };
	view.apply(topic(topics.trackerState()), encodeJson({ ...lost, session: 'session-0000' }));
	assert.is(view.hasTracker, true);
	view.apply(topic(topics.trackerState()), encodeJson({ ...lost, session: 'session-0001' }));
	assert.is(view.hasTracker, false);
});

test('nodes are shown with their names and the start of their ids', () => {
	const view = new SwarmView();
	const sources = [{ node: 'H0MQInzWG1GG', lane: 'direct', rate: 1_000 }];
	view.apply(stateTopic('H0MQInzWG1GG'), state('ready', 0, { name: 'lab-pc-01' }));
	view.apply(stateTopic('IVJq0rJ9ASNg'), state('ready', 0, { name: '机器\u202e', sources }));
	view.apply(announceTopic('IVJq0rJ9ASNg'), announce(3));
	const lines = swarmScreen(view, 'mqtt://h:1', [], { columns: 120, rows: 24 });
	assert.match(lines.at(-2) as string, '  机器\\u{202e} IVJq ');
	assert.is(lines.at(-1), '    ← lab-pc-01 H0MQ 1 kB/s');
	view.apply(stateTopic('H0MQInzWG1GG'), state('lost'));
	assert.is(view.nameOf('H0MQInzWG1GG'), 'lab-pc-01', 'later events can show its name');
});

test('the screen says that there is no connection, and since when', () => {
	const view = new SwarmView();
	view.interrupt();
	const room = { columns: 120, rows: 24 };
	assert.match(swarmScreen(view, 'mqtt://h:1', [], room).join('\n'), 'not known until the broker');
	join(view, 'node-one');
	const text = swarmScreen(view, 'mqtt://h:1', [], room).join('\n');
	assert.match(text, /not connected since \d\d:\d\d:\d\d, trying again/);
	assert.match(text, 'node-one');
});

test('events of the tracker are passed on; an event on the topic of another kind is refused', () => {
	const view = new SwarmView();
	const payload = encodeJson({ event: 'node-joined', node: 'node-one' });
	assert.equal(view.apply(topic(topics.event('node-joined')), payload), {
		event: 'node-joined',
		node: 'node-one',
	});
	throwsCode('ERR_MESSAGE', () => view.apply(topic(topics.event('node-left')), payload));
	throwsCode('ERR_MESSAGE', () => view.apply(announceTopic('node-one'), encodeJson({})));
});

test('the screen shows the load of the broker, and which node sends to which while a content is incomplete', () => {
	const view = new SwarmView();
	const load = { clients: 4, received: 2_000_000, sent: 6_000_000, queued: 0, shed: 0 };
	const event = { event: 'load', ...load, lag: 12.4, cpu: 0.256 };
	view.apply(topic(topics.event('load')), encodeJson(event));
	const sources = [
		{ node: 'node-one', lane: 'direct', rate: 5_000_000 },
		{ node: 'a-long-id-of-a-node', lane: 'broker', rate: 1_000 },
	];
	const fed = { state: 'ready', session: 'session-0001', addresses: [], up: 0, down: 9, sources };
	view.apply(topic(topics.nodeState('node-two')), encodeJson(fed));
	view.apply(announceTopic('node-two'), announce(63));
	const room = { columns: 120, rows: 24 };
	const lines = swarmScreen(view, 'mqtt://h:1', [], room);
	assert.is(lines[1], 'broker ↓ 2 MB/s ↑ 6 MB/s · 4 clients · CPU 26 % · lag 12 ms');
	assert.is(lines.at(-1), '    ← node-one 5 MB/s, a-long-id-o… 1 kB/s by broker');
	view.apply(announceTopic('node-two'), announce(64));
	assert.not.match(swarmScreen(view, 'mqtt://h:1', [], room).join('\n'), '←');
	view.interrupt();
	view.settle();
	assert.is(view.load, undefined);
});

test('the screen fits a terminal of any size', () => {
	const view = new SwarmView();
	for (let index = 0; index < 30; index += 1) {
		const node = `node-${'x'.repeat(20)}-${index}`;
		view.apply(topic(topics.nodeState(node)), state('ready', 12_345_678));
		view.apply(announceTopic(node), announce(index, { name: `文件 ${'n'.repeat(60)}` }));
	}
	const news = Array.from({ length: 20 }, (_, index) => `news ${index}`);
	for (const columns of [40, 80, 120, 200]) {
		for (const rows of [10, 24, 50]) {
			const lines = swarmScreen(view, 'mqtt://127.0.0.1:1883', news, { columns, rows });
			assert.ok(lines.length < rows, `${lines.length} lines on ${rows}`);
			assert.ok(
				lines.every((line) => widthOf(line) < columns),
				`${columns} columns`,
			);
			assert.is(lines.at(-1), 'news 19');
		}
	}
});

test('on a terminal of 80 columns, both rates of a node are shown whole', () => {
	const view = new SwarmView();
	const rates = { up: 12_345_678, down: 23_456_789 };
	const about = { state: 'ready', session: 'session-0001', addresses: [], ...rates };
	view.apply(stateTopic('node-one'), encodeJson(about));
	view.apply(announceTopic('node-one'), announce(1));
	const text = swarmScreen(view, 'mqtt://h:1', [], { columns: 80, rows: 24 }).join('\n');
	assert.match(text, '▏ ↑ 12.3 MB/s ↓ 23.5 MB/s');
});

test('control characters in names do not reach the terminal', () => {
	const view = new SwarmView();
	view.apply(stateTopic('node-one'), state('ready'));
	view.apply(announceTopic('node-one'), announce(64, { name: 'evil\u202egnp.exe' }));
	const text = swarmScreen(view, 'mqtt://h:1', [], { columns: 120, rows: 24 }).join('\n');
	assert.match(text, 'evil\\u{202e}gnp.exe');
});

test.run();
