import * as assert from 'uvu/assert';
import {
	chooseEncoding,
	chooseType,
	matches,
	matchesWeakly,
} from '../../../broker/http/negotiation.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('negotiation of HTTP');
const OFFERED = ['br', 'gzip'];

const ENCODINGS: ReadonlyArray<readonly [header: string | undefined, chosen: string]> = [
	[undefined, ''],
	['', ''],
	['br', 'br'],
	['gzip, deflate, br', 'br'],
	['gzip', 'gzip'],
	['x-gzip', 'gzip'],
	['GZIP', 'gzip'],
	['br;q=0', ''],
	['br;q=0, gzip', 'gzip'],
	['br; q=0.0, gzip; q=0.001', 'gzip'],
	['br;q=0.5, gzip;q=0.8', 'gzip'],
	['gzip;q=0.5, br;q=0.5', 'br'],
	['*', 'br'],
	['*;q=0', ''],
	['br;q=0, *', 'gzip'],
	['identity, br;q=0.5', ''],
	['identity;q=0.5, gzip', 'gzip'],
	['identity;q=0', ''],
	['brotli', ''],
	['gzipped, sbr', ''],
	['br;q=nonsense', ''],
];

for (const [header, chosen] of ENCODINGS) {
	test(`Accept-Encoding: ${header} chooses "${chosen}"`, () => {
		assert.is(chooseEncoding(header, OFFERED), chosen);
	});
}

const JSON_TYPE = 'application/json';
const HTML = 'text/html';
const TYPES: ReadonlyArray<readonly [header: string | undefined, chosen: string]> = [
	[undefined, JSON_TYPE],
	['', JSON_TYPE],
	['*/*', JSON_TYPE],
	[HTML, HTML],
	['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', HTML],
	['TEXT/HTML; charset=utf-8', HTML],
	['text/*', HTML],
	['text/*, text/html;q=0', JSON_TYPE],
	['application/json, text/html', JSON_TYPE],
	['application/json;q=0.5, text/html;q=0.6', HTML],
	['application/json;q=0.5, */*', HTML],
	['text/html;q=0.5, */*;q=0.9', JSON_TYPE],
	['text/html;q=nonsense', JSON_TYPE],
	['image/png', JSON_TYPE],
];

for (const [header, chosen] of TYPES) {
	test(`Accept: ${header} chooses ${chosen}`, () => {
		assert.is(chooseType(header, [JSON_TYPE, HTML]), chosen);
	});
}

test('If-Match compares strongly and If-None-Match weakly, with each tag of the list', () => {
	assert.ok(matches('"a"', '"a"'));
	assert.ok(matches('"x", "a"', '"a"'));
	assert.ok(matches(' * ', '"a"'));
	assert.not.ok(matches('W/"a"', '"a"'));
	assert.not.ok(matches('"x,a"', '"a"'));
	assert.ok(matchesWeakly('W/"a"', '"a"'));
	assert.ok(matchesWeakly('"a"', 'W/"a"'));
	assert.ok(matchesWeakly('"x,y", W/"a"', '"a"'));
	assert.not.ok(matchesWeakly('"b"', '"a"'));
	assert.not.ok(matchesWeakly('', '"a"'));
});

test.run();
