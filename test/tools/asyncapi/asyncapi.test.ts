import { readFileSync } from 'node:fs';
import { type AsyncAPIDocumentInterface, Parser } from '@asyncapi/parser';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { whyNotPublish } from '../../../broker/access/topic-rules.ts';
import { resolveLimits, type Topic, Topics } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { ASYNCAPI } from './file.ts';
import { messageSchemas } from './schemas.ts';

const test = suite('asyncapi.yaml');
const topics = new Topics();
const rules = { topics, limits: resolveLimits(), hasTracker: true };
const [node, from, seed, kind] = ['node-one', 'node-two', 'ab'.repeat(32), 'node-joined'];
const channel = 'cd'.repeat(32);

/** The topics of the code, each under the name of its channel. */
const TOPICS: Readonly<Record<string, string>> = {
	trackerState: topics.trackerState(),
	trackerRequest: topics.trackerRequest(from),
	nodeState: topics.nodeState(from),
	announce: topics.announce(seed, from),
	channel: topics.channel(channel, from),
	channelKeys: topics.channelKeys(channel, from),
	receipt: topics.receipt(channel, from),
	trackerNotice: topics.trackerNotice(node, from),
	reply: topics.reply(node, from),
	request: topics.request(node, from),
	chunk: topics.chunk(node, from),
	swarm: topics.swarm(seed, from),
	event: topics.event(kind),
};

/** The channel of each kind of topic that the parser knows. */
const KINDS: Readonly<Record<Topic['kind'], string>> = {
	'tracker-state': 'trackerState',
	'tracker-request': 'trackerRequest',
	'tracker-notice': 'trackerNotice',
	'node-state': 'nodeState',
	announce: 'announce',
	channel: 'channel',
	'channel-keys': 'channelKeys',
	receipt: 'receipt',
	reply: 'reply',
	request: 'request',
	chunk: 'chunk',
	swarm: 'swarm',
	event: 'event',
};

interface Reference {
	readonly $ref: string;
}

const SCHEMAS = '#/components/schemas/';
const MESSAGES = '#/components/messages/';
const text = readFileSync(ASYNCAPI, 'utf8');
let parsed: Promise<AsyncAPIDocumentInterface> | undefined;

/** Parses the document once, and returns it. */
function read(): Promise<AsyncAPIDocumentInterface> {
	parsed ??= new Parser().parse(text).then(({ document, diagnostics }) => {
		const faults = diagnostics.filter(({ severity }) => severity < 2);
		assert.equal(
			faults.map(({ message, path }) => `${path.join('.')}: ${message}`),
			[],
		);
		assert.ok(document);
		return document;
	});
	return parsed;
}

function filled(address: string | null | undefined): string {
	const values: Record<string, string> = { node, from, seed, kind, channel };
	return String(address).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}

test('the official parser finds no error and no warning', async () => {
	await read();
});

test('the channels equal the topics of the code, both when topics are built and when they are parsed', async () => {
	const channels = (await read()).channels().all();
	const addresses = channels.map((channel) => [channel.id(), filled(channel.address())] as const);
	assert.equal(Object.fromEntries(addresses), TOPICS);
	const kinds = addresses.map(([id, address]) => [topics.tryParse(address)?.kind, id]);
	assert.equal(Object.fromEntries(kinds), KINDS);
});

test('the schemas equal those of the parser, each schema has one message, and each message is on a channel', () => {
	const { channels, components } = parse(text);
	assert.equal(components.schemas, messageSchemas(), 'npm run asyncapi writes them');
	const payloads = Object.entries<{ payload?: Reference }>(components.messages).flatMap(
		([name, { payload }]) => (payload === undefined ? [] : [[payload.$ref, name]]),
	);
	const ofSchemas = Object.keys(components.schemas).map((name) => [`${SCHEMAS}${name}`, name]);
	assert.equal(Object.fromEntries(payloads), Object.fromEntries(ofSchemas));
	const carried = Object.values<{ messages: Record<string, Reference> }>(channels).flatMap(
		({ messages }) => Object.values(messages).map(({ $ref }) => $ref),
	);
	const all = Object.keys(components.messages).map((name) => `${MESSAGES}${name}`);
	assert.equal([...new Set(carried)].sort(), all.sort());
});

test('the kinds of events equal those of the messages', async () => {
	const { channels, components } = parse(text);
	const kinds = ['Happening', 'Complaint', 'Load'].flatMap((name) => {
		const { enum: several, const: one } = components.schemas[name].properties.event;
		return several ?? one;
	});
	assert.equal(channels.event.parameters.kind.enum, kinds);
});

test('the broker lets a node publish in all send operations with their QoS, except in the three of the tracker', async () => {
	for (const operation of (await read())
		.operations()
		.all()
		.filter((each) => each.isSend())) {
		const [channel] = operation.channels().all();
		const { qos, retain } = operation.bindings().get('mqtt')?.value() ?? {};
		const topic = filled(channel?.address());
		const why = whyNotPublish(from, { topic, qos, retain, bytes: 100 }, rules);
		const id = String(operation.id());
		const isTrackers = ['trackerSayState', 'trackerNotify', 'trackerTell'].includes(id);
		assert.is(why, isTrackers ? 'topic' : undefined, id);
	}
});

test('each channel has a send operation and a receive operation', async () => {
	for (const channel of (await read()).channels().all()) {
		const operations = channel.operations().all();
		assert.ok(
			operations.some((operation) => operation.isSend()),
			channel.id(),
		);
		assert.ok(
			operations.some((operation) => operation.isReceive()),
			channel.id(),
		);
	}
});

test.run();
