import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
	type ErrorCode,
	formatLink,
	isLink,
	isShoalError,
	parseBrokerUrl,
	parseLink,
} from '../../../protocol/index.ts';
import { anyText } from '../../helpers/fixtures/any-text.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('share-link');
const ID = '0123456789abcdef'.repeat(4);

test('a link has the id and, as a query, name and broker', () => {
	assert.is(formatLink({ id: ID }), `shoal:${ID}`);
	assert.is(
		formatLink({ id: ID, name: 'a b+c&d.txt', broker: 'mqtt://10.0.0.1:1883' }),
		`shoal:${ID}?name=a%20b%2Bc%26d.txt&broker=mqtt%3A%2F%2F10.0.0.1%3A1883`,
	);
});

test('any name and broker are parsed from a link as they were written', () => {
	const links = fc.record(
		{
			name: fc.constantFrom(
				'a',
				'a b',
				'100%',
				'%41',
				'a+b',
				'a&broker=x',
				'日本 😀',
				'"',
				"'",
				'#?=',
			),
			broker: fc.constantFrom('mqtt://h', 'mqtts://h:1', 'ws://[::1]:80/p', 'wss://h/a%20b', [
				'mqtt://h',
				'mqtt://h:1',
				'ws://h',
			]),
		},
		{ requiredKeys: [] },
	);
	fc.assert(
		fc.property(links, (link) => {
			const text = formatLink({ id: ID, ...link });
			assert.match(text, /^[!-~]+$/, 'it can be pasted anywhere');
			assert.ok(isLink(text));
			assert.equal(parseLink(text), { id: ID, ...link });
		}),
	);
});

test('a link names each broker once, without credentials, and 16 at most', () => {
	const broker = ['mqtt://me:hunter2@h?key=hunter2', 'mqtt://H:1883/', 'mqtt://h:2'];
	const text = formatLink({ id: ID, broker });
	assert.is(text, `shoal:${ID}?broker=mqtt%3A%2F%2Fh&broker=mqtt%3A%2F%2Fh%3A2`);
	assert.equal(parseLink(text).broker, ['mqtt://h', 'mqtt://h:2']);
	assert.is(parseLink(`${text}&broker=mqtt%3A%2F%2Fh%3A2`).broker?.length, 2);
	const many = Array.from({ length: 17 }, (_, index) => `mqtt://h${index}`);
	throwsCode('ERR_LINK', () => formatLink({ id: ID, broker: many }));
	assert.is(parseLink(formatLink({ id: ID, broker: many.slice(1) })).broker?.length, 16);
	throwsCode('ERR_LINK', () => parseLink(`shoal:${ID}?broker=${many.join('&broker=')}`));
	throwsCode('ERR_LINK', () => parseLink(`shoal:${ID}?broker=mqtt://h&broker=h`));
});

test('reading tolerates upper case, spaces around and parameters of later versions', () => {
	assert.equal(parseLink(` SHOAL:${ID.toUpperCase()}\n`), { id: ID });
	assert.equal(parseLink(`shoal:${ID}?`), { id: ID });
	assert.equal(parseLink(`shoal:${ID}?new=1&name=a+b&__proto__=x`), { id: ID, name: 'a b' });
	assert.equal(parseLink(`shoal:${ID}?name=a&name=b`), { id: ID, name: 'a' });
});

test('isLink tells a link from an id and a file', () => {
	assert.ok(isLink('shoal:x'));
	assert.ok(isLink('Shoal:x'));
	for (const text of ['', 'shoal', ID, 'x.seed', './shoal:x', 'http://shoal:1/']) {
		assert.not(isLink(text), text);
	}
});

const HOSTILE: ReadonlyArray<readonly [text: string, code: ErrorCode]> = [
	['', 'ERR_LINK'],
	['shoal:', 'ERR_LINK'],
	[ID, 'ERR_LINK'],
	[`shoal:${ID.slice(1)}`, 'ERR_LINK'],
	[`shoal:${ID}0`, 'ERR_LINK'],
	[`shoal://${ID}`, 'ERR_LINK'],
	[`shoal:${ID}#name`, 'ERR_LINK'],
	[`shoal:${ID}/`, 'ERR_LINK'],
	[`shoal:${'#'.repeat(64)}`, 'ERR_LINK'],
	[`shoal:\x1b]0;x\x07`, 'ERR_LINK'],
	[`x shoal:${ID}`, 'ERR_LINK'],
	[`shoal:${'0'.repeat(1e6)}`, 'ERR_LINK'],
	[`shoal:${ID}?name=`, 'ERR_NAME'],
	[`shoal:${ID}?name=../x`, 'ERR_NAME'],
	[`shoal:${ID}?name=..%2fx`, 'ERR_NAME'],
	[`shoal:${ID}?name=%2Fetc%2Fpasswd`, 'ERR_NAME'],
	[`shoal:${ID}?name=a%00b`, 'ERR_NAME'],
	[`shoal:${ID}?name=%1b%5d0;x%07`, 'ERR_NAME'],
	[`shoal:${ID}?name=${'x'.repeat(256)}`, 'ERR_NAME'],
	[`shoal:${ID}?broker=`, 'ERR_LINK'],
	[`shoal:${ID}?broker=localhost:1883`, 'ERR_LINK'],
	[`shoal:${ID}?broker=http://h/`, 'ERR_LINK'],
	[`shoal:${ID}?broker=file:///etc/passwd`, 'ERR_LINK'],
	[`shoal:${ID}?broker=javascript:alert(1)`, 'ERR_LINK'],
	[`shoal:${ID}?broker=mqtt%2Bunix:///run/x`, 'ERR_LINK'],
	[`shoal:${ID}?broker=mqtt:h`, 'ERR_LINK'],
	[`shoal:${ID}?broker=mqtt://`, 'ERR_LINK'],
	[`shoal:${ID}?broker=mqtt://h:99999`, 'ERR_LINK'],
	[`shoal:${ID}?broker=mqtt://h/%1b]0;x%07`, 'ERR_LINK'],
	[`shoal:${ID}?broker=%20mqtt://h`, 'ERR_LINK'],
	[`shoal:${ID}?broker=mqtt://h%0aX`, 'ERR_LINK'],
	[`shoal:${ID}?broker=mqtt://h%09`, 'ERR_LINK'],
	[`shoal:${ID}?broker=ws://h/%E2%80%AE`, 'ERR_LINK'],
];

for (const [text, code] of HOSTILE) {
	test(`${JSON.stringify(text.replace(ID, '<id>')).slice(0, 60)} is refused with ${code}`, () => {
		const error = throwsCode(code, () => parseLink(text));
		assert.not.match(error.message, /\p{Cc}/u);
		assert.ok(error.message.length < 500);
	});
}

test('T21: any accepted URL of a broker can be shown on a terminal', () => {
	for (const url of [
		'mqtt://h',
		'mqtt://10.0.0.1:1883',
		'ws://h:80/mqtt',
		'wss://[fe80::1]/',
		'MQTT://H',
	]) {
		assert.is(parseBrokerUrl(url), url);
	}
	const urls = fc.tuple(fc.constantFrom('mqtt://h/', 'ws://h/', ''), anyText);
	fc.assert(
		fc.property(urls, ([start, rest]) => {
			try {
				assert.not.match(parseBrokerUrl(start + rest), /[\s\p{Cc}\p{Cf}]/u);
			} catch (error) {
				assert.ok(isShoalError(error, 'ERR_LINK'), String(error));
			}
		}),
	);
});

test('any text is a link or refused', () => {
	const texts = fc.oneof(
		anyText,
		anyText.map((query) => `shoal:${ID}?${query}`),
		fc.string().map((query) => `shoal:${ID}?name=${query}&broker=mqtt://${query}`),
	);
	fc.assert(
		fc.property(texts, (text) => {
			try {
				assert.is(parseLink(text).id, ID);
			} catch (error) {
				assert.ok(isShoalError(error, 'ERR_LINK') || isShoalError(error, 'ERR_NAME'), `${error}`);
			}
		}),
		{ numRuns: 500 },
	);
});

test.run();
