import fc from 'fast-check';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { isShoalError } from '../../../protocol/errors.ts';
import { encodeJson, jsonDecoder } from '../../../protocol/messages/json.ts';
import { HOSTILE_JSON } from '../../helpers/fixtures/hostile-messages.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('json');
const decodeAny = jsonDecoder('thing', v.unknown());
const decode = jsonDecoder('thing', v.object({ a: v.number(), b: v.optional(v.string()) }));
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a message is written as plain JSON', () => {
	assert.is(
		new TextDecoder().decode(encodeJson({ a: 1, b: 'ü', c: undefined })),
		'{"a":1,"b":"ü"}',
	);
});

test('keys that are not in the schema are dropped', () => {
	assert.equal(decode(bytesOf(' {"a":1,"z":[{"y":2}]} ')), { a: 1 });
});

test('any JSON value is decoded as JSON.parse does', () => {
	fc.assert(
		fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
			const text = JSON.stringify(value);
			assert.is(JSON.stringify(decodeAny(bytesOf(text))), JSON.stringify(JSON.parse(text)));
		}),
	);
});

test('any bytes are decoded or refused with ERR_MESSAGE', () => {
	const fragments = fc
		.array(
			fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', '"a"', '1', 'null', '\\u0061', 'e'),
		)
		.map((parts) => bytesOf(parts.join('')));
	fc.assert(
		fc.property(fc.oneof(fc.uint8Array(), fragments), (payload) => {
			try {
				decodeAny(payload);
			} catch (error) {
				assert.ok(isShoalError(error, 'ERR_MESSAGE'), String(error));
			}
		}),
		{ numRuns: 1_000 },
	);
});

const TWICE = [
	'{"a":1,"a":1}',
	'{"a":1,"a":2}',
	'{"a":1,"b":{"c":1,"c":2}}',
	'{"a":[{"c":1},{"c":1,"c":1}]}',
	'{"a":1,"\\u0061":2}',
	'{"\\u0061":1,"a":2}',
	'{"a":1,"\\u0061" : 2}',
	'{"a":1,"x":{"\\"":1,"\\u0022":2}}',
	'{"a":1,"":1,"":2}',
	'{"a:b":1,"a:b":2}',
	'{"\\\\":1,"\\\\":2}',
	'{"a":"b\\":c","a":1}',
	'{"0":1,"0":2}',
	'{"__proto__":1,"__proto__":2}',
	'{"a":1,\n\t"a"\r:2}',
	'[[[{"a":{"b":1,"b":1}}]]]',
];

for (const text of TWICE) {
	test(`a duplicate key is refused: ${JSON.stringify(text)}`, () => {
		const error = throwsCode('ERR_MESSAGE', () => decodeAny(bytesOf(text)));
		assert.match(error.message, /twice/);
	});
}

const ONCE = [
	'{"a":1,"A":1}',
	'{"a":{"a":{"a":1}}}',
	'[{"a":1},{"a":1}]',
	'{"a":"a:1,a:2"}',
	'{"a":"\\"a\\":1,\\"a\\":2"}',
	'{"a":"\\\\","b":":"}',
	'{"a:":":","b:":":\\\\\\":"}',
	'{"a":"{\\"b\\":1","b":"}"}',
	'":::"',
	'[":","\\":",":\\\\"]',
	'{"0":1,"00":1}',
	'{"__proto__":1,"constructor":2,"toString":3}',
	'{"e\u0301":1,"\u00e9":1}',
	'{}',
];

for (const text of ONCE) {
	test(`text without a duplicate key is decoded: ${JSON.stringify(text)}`, () => {
		assert.is(JSON.stringify(decodeAny(bytesOf(text))), JSON.stringify(JSON.parse(text)));
	});
}

test('an object is refused if it has a duplicate key, and only then', () => {
	const key = fc.constantFrom('a', 'b', ':', '"', '\\', '__proto__', '1');
	fc.assert(
		fc.property(fc.array(fc.tuple(key, fc.jsonValue({ maxDepth: 1 }))), (members) => {
			const parts = members.map(
				([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
			);
			const isUnique = new Set(members.map(([name]) => name)).size === members.length;
			const payload = bytesOf(`{${parts.join(',')}}`);
			if (isUnique) {
				decodeAny(payload);
			} else {
				throwsCode('ERR_MESSAGE', () => decodeAny(payload));
			}
		}),
	);
});

test('a message of 64 KiB is read and written, one byte more is not', () => {
	const most = 'x'.repeat(65_534);
	assert.is(decodeAny(encodeJson(most)), most);
	throwsCode('ERR_LIMIT', () => encodeJson(`${most}x`));
	const error = throwsCode('ERR_MESSAGE', () => decodeAny(bytesOf(JSON.stringify(`${most}x`))));
	assert.match(error.message, /65537/);
	throwsCode(
		'ERR_LIMIT',
		() => encodeJson('ü'.repeat(32_768)),
		'bytes are counted, not characters',
	);
});

test('T14: hostile JSON, such as deep nesting, is decoded or is an ERR_MESSAGE', () => {
	for (const text of HOSTILE_JSON) {
		for (const decoder of [decodeAny, decode]) {
			try {
				decoder(bytesOf(text));
			} catch (error) {
				assert.ok(isShoalError(error, 'ERR_MESSAGE'), String(error));
			}
		}
	}
});

test('T14: keys such as __proto__ are ignored and change no prototype', () => {
	const text =
		'{"a":1,"__proto__":{"b":"evil","polluted":1},"constructor":{"prototype":{"polluted":1}}}';
	const value = decode(bytesOf(text));
	assert.equal(value, { a: 1 });
	assert.is(value.b, undefined);
	assert.is(Object.getPrototypeOf(value), Object.prototype);
	assert.is(({} as { polluted?: number }).polluted, undefined);
	throwsCode('ERR_MESSAGE', () => decode(bytesOf('{"__proto__":{"a":1}}')));
});

test('bytes that are not UTF-8 are refused, and the next message is read', () => {
	for (const payload of [
		[0x22, 0xff, 0x22],
		[0x22, 0xc3],
		[0xed, 0xa0, 0x80],
		[0xff, 0xfe, 0x31, 0],
	]) {
		throwsCode('ERR_MESSAGE', () => decodeAny(new Uint8Array(payload)));
		assert.is(decodeAny(bytesOf('"ü"')), 'ü');
	}
	throwsCode('ERR_MESSAGE', () => decodeAny(new Uint8Array()));
});

test('T21: an error names the wrong field, shows no control character and is short', () => {
	const error = throwsCode('ERR_MESSAGE', () => decode(bytesOf('{"a":"\\u001b]0;x\\u0007\\n"}')));
	assert.match(error.message, /the thing is malformed: a:/);
	assert.not.match(error.message, /\p{Cc}/u);
	const long = throwsCode('ERR_MESSAGE', () => decode(bytesOf(`{"a":"${'x'.repeat(60_000)}"}`)));
	assert.ok(long.message.length < 500, `${long.message.length} characters`);
	assert.match(throwsCode('ERR_MESSAGE', () => decode(bytesOf('7'))).message, /the whole/);
});

test.run();
