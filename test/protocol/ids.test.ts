import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
	formatRequestId,
	isNodeId,
	isOlderSession,
	isRequestId,
	isSeedId,
	makeNodeId,
	makeRequestId,
	makeSession,
	parseNodeId,
	parseRequestId,
	parseSeedId,
} from '../../protocol/ids.ts';
import { suite } from '../helpers/harness/suite.ts';
import { throwsCode } from '../helpers/harness/throws-code.ts';

const test = suite('ids');
const HEX = '0123456789abcdef'.repeat(4);

test('generated ids are valid and all different', () => {
	const nodes = Array.from({ length: 1_000 }, makeNodeId);
	assert.ok(nodes.every(isNodeId));
	assert.is(new Set(nodes).size, 1_000);
	const sessions = Array.from({ length: 1_000 }, makeSession);
	assert.ok(sessions.every((session) => /^[a-z0-9]{9}-[A-Za-z0-9_-]{8}$/.test(session)));
	assert.is(new Set(sessions).size, 1_000);
	const requests = Array.from({ length: 1_000 }, makeRequestId);
	assert.ok(requests.every((id) => id >= 0n && id < 2n ** 64n));
	assert.is(new Set(requests).size, 1_000);
});

test('of two sessions the older one is known, unless an earlier release has made one of them', () => {
	const [first, second] = [makeSession(), makeSession()];
	assert.ok(isOlderSession(first, second));
	assert.not.ok(isOlderSession(second, first));
	assert.not.ok(isOlderSession(first, first));
	for (const old of ['V1StGXR8_Z5j', '000000000-ab', 'session-1']) {
		assert.not.ok(isOlderSession(old, second) || isOlderSession(first, old), old);
	}
});

test('a node id has 8 to 64 letters, digits, _ or -', () => {
	for (const id of ['12345678', 'a'.repeat(64), '__proto__', '--------', 'constructor']) {
		assert.ok(isNodeId(id), id);
		assert.is(parseNodeId(id), id);
	}
});

const NO_NODE_IDS = [
	'',
	'1234567',
	'a'.repeat(65),
	'#',
	'+',
	'########',
	'node/one',
	'node+one',
	'node#one',
	'node one',
	'node.one',
	'$SYS-node',
	'node\none',
	'nodeone1\n',
	'\nnodeone',
	'node\0one',
	'nödeeins',
	'nodeone1\u200b',
	'ノード12345',
	'../../..',
];

test('T15: text with wildcards, slashes and the like is no node id', () => {
	for (const id of NO_NODE_IDS) {
		assert.not(isNodeId(id), JSON.stringify(id));
		throwsCode('ERR_ID', () => parseNodeId(id), JSON.stringify(id));
	}
	for (const id of [undefined, null, 12345678, ['12345678'], {}]) {
		assert.not(isNodeId(id));
		assert.not(isSeedId(id));
		assert.not(isRequestId(id));
	}
});

test('a seed id has 64 lower-case hexadecimal digits', () => {
	assert.ok(isSeedId(HEX));
	for (const id of [HEX.slice(1), `${HEX}0`, HEX.toUpperCase(), `${HEX.slice(1)}g`, `${HEX}\n`]) {
		assert.not(isSeedId(id), id);
	}
});

test('a typed seed id may be upper case and have spaces around it', () => {
	assert.is(parseSeedId(`  ${HEX.toUpperCase()}\n`), HEX);
	for (const text of ['', 'abc', `${HEX}0`, `${HEX.slice(2)} 0`, `0x${HEX.slice(2)}`]) {
		throwsCode('ERR_ID', () => parseSeedId(text), text);
	}
});

test('T21: an error about an id shows no control characters', () => {
	const error = throwsCode('ERR_ID', () => parseSeedId('\x1b]0;x\x07\nfoo'));
	assert.not.match(error.message, /\p{Cc}/u);
});

test('a request id is formatted for JSON and parsed back', () => {
	assert.is(formatRequestId(0n), '0'.repeat(16));
	assert.is(formatRequestId(2n ** 64n - 1n), 'f'.repeat(16));
	fc.assert(
		fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (id) => {
			const text = formatRequestId(id);
			assert.ok(isRequestId(text));
			assert.is(parseRequestId(text), id);
		}),
	);
	for (const text of ['', 'f'.repeat(15), 'f'.repeat(17), 'F'.repeat(16), `0x${'f'.repeat(14)}`]) {
		assert.not(isRequestId(text), text);
	}
});

test.run();
