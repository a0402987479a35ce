import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { MAX_TOPIC_BYTES, MAX_TOPIC_LEVELS, type Topic, Topics } from '../../../protocol/index.ts';
import { anyText } from '../../helpers/fixtures/any-text.ts';
import { HOSTILE_TOPICS } from '../../helpers/fixtures/hostile-messages.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('topics');
const topics = new Topics();
const SEED = '0123456789abcdef'.repeat(4);
const A = 'node-a_1';
const B = 'B'.repeat(64);

const built = (t: Topics): ReadonlyArray<readonly [topic: string, below: string, means: Topic]> => [
	[t.trackerState(), 'tracker/state', { kind: 'tracker-state' }],
	[t.trackerRequest(A), `tracker/request/${A}`, { kind: 'tracker-request', from: A }],
	[t.nodeState(A), `node/${A}/state`, { kind: 'node-state', from: A }],
	[t.announce(SEED, A), `announce/${SEED}/${A}`, { kind: 'announce', seed: SEED, from: A }],
	[t.reply(A, B), `inbox/${A}/reply/${B}`, { kind: 'reply', node: A, from: B }],
	[t.request(A, B), `inbox/${A}/request/${B}`, { kind: 'request', node: A, from: B }],
	[t.chunk(A, B), `inbox/${A}/chunk/${B}`, { kind: 'chunk', node: A, from: B }],
	[t.swarm(SEED, A), `swarm/${SEED}/${A}`, { kind: 'swarm', seed: SEED, from: A }],
	[t.channel(SEED, A), `channel/${SEED}/${A}`, { kind: 'channel', channel: SEED, from: A }],
	[
		t.channelKeys(SEED, A),
		`channel/${SEED}/keys/${A}`,
		{ kind: 'channel-keys', channel: SEED, from: A },
	],
	[t.receipt(SEED, A), `receipt/${SEED}/${A}`, { kind: 'receipt', channel: SEED, from: A }],
	[t.event('node-lost'), 'event/node-lost', { kind: 'event', event: 'node-lost' }],
];

for (const root of ['shoal/1', 'x', 'tracker', `${'a'.repeat(32)}/${'b'.repeat(32)}`]) {
	test(`below ${root} every topic is as specified, is parsed to its parts, and fits every broker`, () => {
		const own = new Topics(root);
		for (const [topic, below, means] of built(own)) {
			assert.is(topic, `${root}/${below}`);
			assert.equal(own.tryParse(topic), means, topic);
			assert.ok(topic.length <= MAX_TOPIC_BYTES, topic);
			assert.ok(topic.split('/').length <= MAX_TOPIC_LEVELS, topic);
			assert.not.match(topic, /[#+$. ]/);
		}
	});
}

test('topics of the longest ids below the longest root fit every broker', () => {
	const own = new Topics(`${'a'.repeat(32)}/${'b'.repeat(32)}`);
	for (const topic of [own.request(B, B), own.announce(SEED, B), own.swarm(SEED, B)]) {
		assert.ok(topic.length <= MAX_TOPIC_BYTES);
		assert.ok(own.tryParse(topic));
	}
});

test('topics below one root are not parsed with another root', () => {
	for (const [topic] of built(topics)) {
		for (const root of ['shoal/2', 'shoal', 'shoal/10', 'hoal/1']) {
			assert.is(new Topics(root).tryParse(topic), undefined, `${root} reads ${topic}`);
		}
	}
});

test('each filter matches the topics that it is for, and no others', () => {
	const covered = (filters: readonly string[]) =>
		built(topics)
			.filter(([topic]) => filters.some((filter) => covers(filter, topic)))
			.map(([, , { kind }]) => kind);
	assert.equal(covered([topics.inboxFilter(A)]), ['reply', 'request', 'chunk']);
	assert.equal(covered([topics.inboxFilter(B)]), []);
	assert.equal(covered(topics.trackerFilters()), ['tracker-request', 'node-state', 'announce']);
	assert.equal(covered(topics.watchFilters()), [
		'tracker-state',
		'node-state',
		'announce',
		'event',
	]);
	assert.equal(covered(topics.stateFilters()), ['node-state', 'announce']);
});

/** Whether `filter` matches `topic`, as in MQTT 3.1.1, 4.7.1. */
function covers(filter: string, topic: string): boolean {
	const source = filter.replace(/\/#$/, '(/.*)?').replaceAll('+', '[^/]*');
	return new RegExp(`^${source}$`).test(topic);
}

test('T15: every builder of a topic refuses ids with a wildcard, a slash or another invalid character', () => {
	const ids = [
		'#',
		'+',
		'########',
		'++++++++',
		'a/b/c/d/e',
		'',
		'short',
		'x'.repeat(65),
		'a\0bcdefg',
	];
	for (const id of [...ids, 'node id 1', 'node.id.1', '$SYS/node', 'node-id-1\n']) {
		const builders = [
			() => topics.trackerRequest(id),
			() => topics.nodeState(id),
			() => topics.announce(SEED, id),
			() => topics.reply(id, A),
			() => topics.reply(A, id),
			() => topics.request(id, A),
			() => topics.request(A, id),
			() => topics.chunk(id, A),
			() => topics.chunk(A, id),
			() => topics.swarm(SEED, id),
			() => topics.inboxFilter(id),
			() => topics.announce(id, A),
			() => topics.swarm(id, A),
			() => topics.event(id === 'short' ? '#' : id),
		];
		for (const [position, builder] of builders.entries()) {
			throwsCode('ERR_TOPIC', builder, `builder ${position} with ${JSON.stringify(id)}`);
		}
	}
});

test('T15: builders of topics refuse seed ids with wildcards, in upper case or of a wrong length', () => {
	for (const id of ['#', '+', SEED.toUpperCase(), SEED.slice(1), `${SEED}0`, `${SEED.slice(1)}/`]) {
		throwsCode('ERR_TOPIC', () => topics.announce(id, A), id);
		throwsCode('ERR_TOPIC', () => topics.swarm(id, A), id);
	}
});

test('a root that some broker would not accept is refused', () => {
	const bad = [
		'',
		'/',
		'a/',
		'/a',
		'a//b',
		'a/b/c',
		'#',
		'+',
		'a/#',
		'$share/x',
		'$SYS',
		'a b',
		'a.b',
		'ä',
	];
	for (const root of [...bad, 'x'.repeat(33), 'a\n', 'a\0']) {
		throwsCode('ERR_TOPIC', () => new Topics(root), JSON.stringify(root));
	}
});

for (const [what, topic] of HOSTILE_TOPICS) {
	test(`T14: ${what} is not parsed as a topic of shoal`, () => {
		assert.is(topics.tryParse(topic), undefined);
	});
}

test('T14: a node called __proto__ is a node like any other', () => {
	assert.equal(topics.tryParse('shoal/1/node/__proto__/state'), {
		kind: 'node-state',
		from: '__proto__',
	});
});

test('T14: any text is parsed to parts that build the same topic, or is refused', () => {
	const level = fc.constantFrom(
		'tracker',
		'state',
		'request',
		'node',
		'announce',
		'inbox',
		'reply',
		'chunk',
		'swarm',
		'event',
		SEED,
		A,
		B,
		'',
		'#',
		'+',
		'__proto__',
		'lost',
	);
	const likely = fc.array(level, { maxLength: 6 }).map((levels) => `shoal/1/${levels.join('/')}`);
	fc.assert(
		fc.property(fc.oneof(likely, anyText), (topic) => {
			const parsed = topics.tryParse(topic);
			if (parsed !== undefined) {
				assert.is(build(parsed), topic);
			}
		}),
		{ numRuns: 2_000 },
	);
});

function build(topic: Topic): string {
	switch (topic.kind) {
		case 'tracker-state':
			return topics.trackerState();
		case 'tracker-request':
			return topics.trackerRequest(topic.from);
		case 'tracker-notice':
			return topics.trackerNotice(topic.node, topic.from);
		case 'node-state':
			return topics.nodeState(topic.from);
		case 'announce':
		case 'swarm':
			return topics[topic.kind](topic.seed, topic.from);
		case 'event':
			return topics.event(topic.event);
		case 'channel':
		case 'receipt':
			return topics[topic.kind](topic.channel, topic.from);
		case 'channel-keys':
			return topics.channelKeys(topic.channel, topic.from);
		default:
			return topics[topic.kind](topic.node, topic.from);
	}
}

test.run();
