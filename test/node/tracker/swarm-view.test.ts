import widthOf from 'string-width';
import * as assert from 'uvu/assert';
import { swarmScreen } from '../../../node/cli/terminal/swarm-screen.ts';
import { SwarmView } from '../../../node/tracker/swarm-view.ts';
import { encodeJson, type Topic, Topics } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('the view of a swarm');

const SEED = 'ab'.repeat(32);
const NONE = new Uint8Array();
const topics = new Topics();
const topic = (text: string): Topic => topics.tryParse(text) as Topic;
const announceTopic = (node: string): Topic => topic(topics.announce(SEED, node));
const announce = (count: number, name = 'file.bin'): Uint8Array =>
	encodeJson({
		name,
		length: 640,
		chunks: 64,
		have: { count, map: `${'f'.repeat(count)}${'0'.repeat(64 - count)}` },
		ttl: 90_000,
		session: 'session-0001',
	});
const state = (is: string, up = 0): Uint8Array =>
	encodeJson({ state: is, session: 'session-0001', addresses: [], up, down: 0 });

test('control messages become events and a picture', () => {
	const view = new SwarmView();
	assert.is(view.apply(topic(topics.nodeState('node-one')), state('ready', 5))?.event, 'state');
	const event = view.apply(announceTopic('node-one'), announce(16));
	assert.equal(
		[event?.event, event?.seed, event?.node, event?.have],
		['announce', SEED, 'node-one', 16],
	);
	view.apply(announceTopic('node-two'), announce(64));
	const [swarm] = view.swarms();
	assert.equal(
		swarm?.nodes.map(({ node }) => node),
		['node-two', 'node-one'],
	);
	assert.is(swarm?.nodes[1]?.state?.up, 5);
});

test('who withdraws, leaves or is lost is not in the picture', () => {
	const view = new SwarmView();
	for (const node of ['node-one', 'node-two', 'node-three']) {
		view.apply(announceTopic(node), announce(64));
	}
	assert.is(view.apply(announceTopic('node-one'), NONE)?.event, 'withdrawn');
	view.apply(topic(topics.nodeState('node-two')), state('lost'));
	assert.is(view.swarms()[0]?.nodes.length, 1);
	view.apply(topic(topics.nodeState('node-three')), NONE);
	assert.equal(view.swarms(), []);
});

test('events of the tracker are passed on, but not on the topic of another', () => {
	const view = new SwarmView();
	const payload = encodeJson({ event: 'node-joined', node: 'node-one' });
	assert.equal(view.apply(topic(topics.event('node-joined')), payload), {
		event: 'node-joined',
		node: 'node-one',
	});
	throwsCode('ERR_MESSAGE', () => view.apply(topic(topics.event('node-left')), payload));
	throwsCode('ERR_MESSAGE', () => view.apply(announceTopic('node-one'), encodeJson({})));
});

test('the screen shows what the broker carries, and who feeds whom while something is lacking', () => {
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
	view.clear();
	assert.is(view.load, undefined);
});

test('the screen fits every terminal', () => {
	const view = new SwarmView();
	for (let index = 0; index < 30; index += 1) {
		const node = `node-${'x'.repeat(20)}-${index}`;
		view.apply(topic(topics.nodeState(node)), state('ready', 12_345_678));
		view.apply(announceTopic(node), announce(index, `文件 ${'n'.repeat(60)}`));
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

test('a name cannot reach the terminal', () => {
	const view = new SwarmView();
	view.apply(announceTopic('node-one'), announce(64, 'evil\u202egnp.exe'));
	const text = swarmScreen(view, 'mqtt://h:1', [], { columns: 120, rows: 24 }).join('\n');
	assert.match(text, 'evil\\u{202e}gnp.exe');
});

test.run();
