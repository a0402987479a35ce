import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
	decodeAnnounce,
	decodeEvent,
	decodeNodeRequest,
	decodeNodeState,
	decodeReply,
	decodeTrackerRequest,
	decodeTrackerState,
	encodeJson,
	isShoalError,
	MAX_CHUNKS,
	MAX_LENGTH,
	MAX_RANGE,
} from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('messages');
const id = '0123456789abcdef';
const seed = id.repeat(4);
const node = 'node-one';
const session = 'session_1';
const map = '0f'.repeat(32);

type Message = Readonly<Record<string, unknown>>;

const DECODERS = {
	'node state': decodeNodeState,
	announce: decodeAnnounce,
	request: decodeNodeRequest,
	reply: decodeReply,
	'tracker state': decodeTrackerState,
	'tracker request': decodeTrackerRequest,
	event: decodeEvent,
} as const;
type Kind = keyof typeof DECODERS;

const STATE = { state: 'ready', session, addresses: ['mqtt://10.0.0.1:1883'], up: 0, down: 1 };
const ANNOUNCE = {
	name: 'a b.txt',
	length: 4_259,
	chunks: 9,
	have: { count: 9, map },
	ttl: 90_000,
	session,
};
const REQUEST = { op: 'chunks', id, seed, ranges: [[0, 1]] };
const HAVE = { op: 'have', id, seed, name: 'x', length: 1, chunks: 1, kind: 'sha256', have: 'all' };
const READY = {
	state: 'ready',
	tracker: node,
	session,
	ttl: 90_000,
	renewal: 30_000,
	part: 262_144,
};
const LISTING = { seed, name: 'x', length: 1, chunks: 1, seeders: 1, downloaders: 0 };
const NODE = { node, have: 1, chunks: 2, addresses: [] };
const UPDATE = { op: 'update', id, session, count: 3, digest: seed };
const LOAD = {
	event: 'load',
	clients: 3,
	received: 1,
	sent: 2,
	queued: 0,
	shed: 0.5,
	lag: 1.5,
	cpu: 0.25,
};

const GOOD: ReadonlyArray<readonly [kind: Kind, message: Message]> = [
	['node state', STATE],
	['node state', { ...STATE, state: 'lost', addresses: [] }],
	['node state', { ...STATE, sources: Array(8).fill({ node, lane: 'direct', rate: 5 }) }],
	['node state', { ...STATE, state: 'disconnected', addresses: Array(8).fill('wss://[::1]/') }],
	['announce', ANNOUNCE],
	['announce', { ...ANNOUNCE, index: 15, files: 0 }],
	['announce', { ...ANNOUNCE, index: 32 * 2 ** 20, files: 200_000 }],
	['announce', { ...ANNOUNCE, length: 0, chunks: 0, have: { count: 0, map: '0'.repeat(64) } }],
	['announce', { ...ANNOUNCE, length: MAX_LENGTH, chunks: MAX_CHUNKS, name: 'é'.repeat(127) }],
	['request', { op: 'have', id, seed }],
	['request', REQUEST],
	['request', { ...REQUEST, op: 'seed', ranges: Array(64).fill([MAX_LENGTH, MAX_RANGE]) }],
	['request', { ...REQUEST, op: 'cancel' }],
	['reply', HAVE],
	['reply', { ...HAVE, have: { first: 8, bits: 'AP8=' } }],
	['reply', { ...HAVE, have: { first: 0, bits: '' } }],
	[
		'reply',
		{
			op: 'gained',
			seed,
			runs: [
				[0, 1],
				[MAX_CHUNKS, 2],
			],
		},
	],
	['reply', { op: 'gained', seed, runs: [] }],
	['reply', { op: 'refused', id, seed, reason: 'not-shared' }],
	['reply', { op: 'refused', id, seed, reason: 'not-there' }],
	['reply', { op: 'refused', id, seed, reason: 'busy' }],
	['reply', { op: 'refused', id, seed, reason: 'changed' }],
	['reply', { op: 'refused', id, seed, reason: 'failed' }],
	['reply', { op: 'get_seed', id, seeds: [] }],
	['reply', { op: 'get_seed', id, seeds: [LISTING, LISTING], next: seed }],
	['reply', { op: 'get_seed', id, seeds: [{ ...LISTING, index: 400, files: 3 }] }],
	['reply', { ...HAVE, length: 600, chunks: 2, index: 400, files: 3 }],
	['reply', { op: 'query', id, seeders: 1, downloaders: 2, nodes: [NODE] }],
	['reply', { op: 'update', id, status: 'ok', refused: [] }],
	['reply', { op: 'update', id, status: 'again', refused: [seed] }],
	['tracker state', READY],
	['tracker state', { state: 'lost', tracker: node, session }],
	['tracker request', { op: 'get_seed', id }],
	['tracker request', { op: 'get_seed', id, after: seed }],
	['tracker request', { op: 'query', id, seed }],
	['tracker request', UPDATE],
	['tracker request', { op: 'report', id, event: 'chunk-refused', seed, node, chunk: 3 }],
	['tracker request', { op: 'report', id, event: 'node-dropped', seed, node }],
	['event', { event: 'node-joined', node }],
	['event', { event: 'node-left', node }],
	['event', { event: 'node-lost', node }],
	['event', { event: 'seed-added', seed, name: 'x', length: 1 }],
	['event', { event: 'seed-gone', seed }],
	['event', { event: 'download-started', node, seed }],
	['event', { event: 'download-complete', node, seed }],
	['event', { event: 'chunk-refused', node, seed, by: 'node-two', chunk: MAX_CHUNKS }],
	['event', { event: 'node-dropped', node, seed, by: 'node-two' }],
	['event', LOAD],
];

for (const [kind, message] of GOOD) {
	test(`a ${kind} is decoded as it was written: ${JSON.stringify(message).slice(0, 70)}`, () => {
		assert.equal(DECODERS[kind](encodeJson(message)), message);
	});

	test(`a ${kind} without one of its fields is not decoded as another message: ${JSON.stringify(message).slice(0, 50)}`, () => {
		const isHappening = /^(node-(joined|left|lost)|seed|download)/.test(`${message.event}`);
		const optional = new Set(
			isHappening
				? ['node', 'seed', 'name', 'length']
				: ['after', 'next', 'chunk', 'sources', 'index', 'files'],
		);
		for (const field of Object.keys(message).filter((name) => !optional.has(name))) {
			const { [field]: _, ...rest } = message;
			throwsCode('ERR_MESSAGE', () => DECODERS[kind](encodeJson(rest)), field);
			for (const wrong of [null, [], {}, true, '', 'x', -1, 0.5, 2 ** 53, [[]], '__proto__']) {
				throwsUnless(kind, { ...message, [field]: wrong }, field);
			}
		}
	});
}

/** Decodes a message with one changed field: it is refused unless the field may have the value. */
function throwsUnless(kind: Kind, message: Message, field: string): void {
	try {
		const value = JSON.stringify(message[field]);
		const isText =
			['"x"', '""', '[]'].includes(value) &&
			['name', 'addresses', 'seeds', 'nodes', 'refused', 'runs'].includes(field);
		const isAllowed = isText || (value === '0.5' && ['shed', 'lag', 'cpu'].includes(field));
		DECODERS[kind](encodeJson(message));
		assert.ok(isAllowed || value === '"__proto__"', `${kind}: ${field} may be ${value}`);
	} catch (error) {
		assert.ok(isShoalError(error, 'ERR_MESSAGE'), String(error));
	}
}

const BAD: ReadonlyArray<readonly [what: string, kind: Kind, message: Message]> = [
	['an index that no folder has', 'announce', { ...ANNOUNCE, index: 14 }],
	['an index above 32 MiB', 'announce', { ...ANNOUNCE, index: 32 * 2 ** 20 + 1 }],
	['an index with a fraction', 'announce', { ...ANNOUNCE, index: 15.5 }],
	['an index as a text', 'announce', { ...ANNOUNCE, index: '400' }],
	['an index of null', 'announce', { ...ANNOUNCE, index: null }],
	['a negative number of files', 'announce', { ...ANNOUNCE, index: 400, files: -1 }],
	['a fraction as number of files', 'announce', { ...ANNOUNCE, index: 400, files: 0.5 }],
	['a reply with an index that no folder has', 'reply', { ...HAVE, index: 0 }],
	['a reply with files beyond 2^53', 'reply', { ...HAVE, index: 15, files: 2 ** 53 }],
	[
		'a listing with an index that no folder has',
		'reply',
		{ op: 'get_seed', id, seeds: [{ ...LISTING, index: 1e9 }] },
	],
	['an unknown state', 'node state', { ...STATE, state: 'gone' }],
	['a session with a wildcard', 'node state', { ...STATE, session: 'abc/+/#/x' }],
	['a short session', 'node state', { ...STATE, session: 'short' }],
	['an address that is no broker', 'node state', { ...STATE, addresses: ['http://x/'] }],
	['T21: an address with an escape', 'node state', { ...STATE, addresses: ['mqtt://h/\x1b]0;'] }],
	['nine addresses', 'node state', { ...STATE, addresses: Array(9).fill('mqtt://h') }],
	['a long address', 'node state', { ...STATE, addresses: [`mqtt://${'h'.repeat(128)}`] }],
	['a negative rate', 'node state', { ...STATE, up: -1 }],
	[
		'nine sources',
		'node state',
		{ ...STATE, sources: Array(9).fill({ node, lane: 'broker', rate: 1 }) },
	],
	['T4: a name that leads upward', 'announce', { ...ANNOUNCE, name: '../x' }],
	['T4: an absolute name', 'announce', { ...ANNOUNCE, name: '/x' }],
	['T21: a name with an escape', 'announce', { ...ANNOUNCE, name: '\x1b[2J' }],
	['a name too long in bytes', 'announce', { ...ANNOUNCE, name: 'é'.repeat(128) }],
	['a length above 4 TiB', 'announce', { ...ANNOUNCE, length: MAX_LENGTH + 1 }],
	['too many chunks', 'announce', { ...ANNOUNCE, chunks: MAX_CHUNKS + 1 }],
	['a count above the number of chunks', 'announce', { ...ANNOUNCE, have: { count: 10, map } }],
	['a short map', 'announce', { ...ANNOUNCE, have: { count: 1, map: 'f' } }],
	['a map in upper case', 'announce', { ...ANNOUNCE, have: { count: 1, map: 'F'.repeat(64) } }],
	['a ttl of 0', 'announce', { ...ANNOUNCE, ttl: 0 }],
	['no range', 'request', { ...REQUEST, ranges: [] }],
	['65 ranges', 'request', { ...REQUEST, ranges: Array(65).fill([0, 1]) }],
	['an empty range', 'request', { ...REQUEST, ranges: [[0, 0]] }],
	['a range too long', 'request', { ...REQUEST, ranges: [[0, MAX_RANGE + 1]] }],
	['a negative offset', 'request', { ...REQUEST, ranges: [[-1, 1]] }],
	['an offset with a fraction', 'request', { ...REQUEST, ranges: [[0.5, 1]] }],
	['a range without a length', 'request', { ...REQUEST, ranges: [[0]] }],
	['an unknown operation', 'request', { ...REQUEST, op: 'delete' }],
	['a prototype key as operation', 'request', { ...REQUEST, op: '__proto__' }],
	['an inherited name as operation', 'reply', { ...HAVE, op: 'constructor' }],
	['a request id in upper case', 'request', { ...REQUEST, id: 'F'.repeat(16) }],
	['a request id as a number', 'request', { ...REQUEST, id: 7 }],
	['a seed id in upper case', 'request', { ...REQUEST, seed: seed.toUpperCase() }],
	['bits that start within a byte', 'reply', { ...HAVE, have: { first: 4, bits: '' } }],
	['bits that are no base64', 'reply', { ...HAVE, have: { first: 0, bits: '*' } }],
	['a have that is an unknown word', 'reply', { ...HAVE, have: 'none' }],
	['a name of 1,025 characters', 'reply', { ...HAVE, name: 'x'.repeat(1_025) }],
	['a part of 1,023 bytes', 'reply', { ...HAVE, part: 1_023 }],
	['a part too large', 'reply', { ...HAVE, part: 1024 * 1024 + 1 }],
	['an empty run', 'reply', { op: 'gained', seed, runs: [[0, 0]] }],
	['2,001 runs', 'reply', { op: 'gained', seed, runs: Array(2_001).fill([0, 1]) }],
	['an unknown reason', 'reply', { op: 'refused', id, seed, reason: 'just so' }],
	[
		'1,001 refused seeds',
		'reply',
		{ op: 'update', id, status: 'ok', refused: Array(1_001).fill('') },
	],
	[
		'a node id with a wildcard',
		'reply',
		{ op: 'query', id, seeders: 0, downloaders: 0, nodes: [{ ...NODE, node: '########' }] },
	],
	[
		'T4: a listed name that leads upward',
		'reply',
		{ op: 'get_seed', id, seeds: [{ ...LISTING, name: '..' }] },
	],
	['a part of 0 bytes', 'tracker state', { ...READY, part: 0 }],
	['a part too large', 'tracker state', { ...READY, part: 1024 * 1024 + 1 }],
	['T15: a tracker with a wildcard', 'tracker state', { ...READY, tracker: 'tracker/#' }],
	['a page after text that is no seed id', 'tracker request', { op: 'get_seed', id, after: 'x' }],
	['a digest in upper case', 'tracker request', { ...UPDATE, digest: 'A'.repeat(64) }],
	['an unknown event', 'event', { event: 'node-hacked' }],
	['T21: an event about a name with a newline', 'event', { event: 'seed-added', name: 'a\nb' }],
];

for (const [what, kind, message] of BAD) {
	test(`${what} is refused in a ${kind}`, () => {
		const error = throwsCode('ERR_MESSAGE', () => DECODERS[kind](encodeJson(message)));
		assert.not.match(error.message, /\p{Cc}/u);
	});
}

test('any JSON and any bytes are decoded or refused with ERR_MESSAGE, by every decoder', () => {
	const spoiled = fc
		.tuple(fc.constantFrom(...GOOD), fc.nat(8), fc.jsonValue({ maxDepth: 2 }))
		.map(([[, message], at, value]) => {
			const fields = Object.keys(message);
			return encodeJson({ ...message, [fields[at % fields.length] as string]: value });
		});
	const payloads = fc.oneof(
		spoiled,
		fc.jsonValue().map((value) => encodeJson(value)),
		fc.uint8Array(),
	);
	fc.assert(
		fc.property(payloads, (payload) => {
			for (const decode of Object.values(DECODERS)) {
				try {
					decode(payload);
				} catch (error) {
					assert.ok(isShoalError(error, 'ERR_MESSAGE'), String(error));
				}
			}
		}),
		{ numRuns: 1_000 },
	);
});

test.run();
