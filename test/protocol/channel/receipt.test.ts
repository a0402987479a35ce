import * as assert from 'uvu/assert';
import { decodeReceipt, encodeJson } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('receipt');
const good = {
	block: 0,
	seq: 3,
	seed: 'ab'.repeat(32),
	state: 'fetching',
	percent: 40,
	rate: 1e6,
	left: 12,
	kept: 2,
	paths: ['a.txt'],
	at: '2026-01-02T03:04:05.678Z',
	name: 'pc-7',
	groups: ['lab-2'],
};

test('a receipt is read as it was written, and most fields have a default', () => {
	assert.equal(decodeReceipt(encodeJson(good)), good);
	const { seq, seed, at } = good;
	const least = { seq, seed, state: 'waiting', at };
	assert.equal(decodeReceipt(encodeJson(least)), {
		...{ block: 0, percent: 0, kept: 0, groups: [] },
		...least,
	});
});

test('malformed receipts are refused', () => {
	for (const change of [
		{ seq: -1 },
		{ seq: 1.5 },
		{ seed: 'x' },
		{ state: 'done' },
		{ percent: 101 },
		{ code: 'rm -rf' },
		{ kept: -1 },
		{ paths: Array.from({ length: 5 }, () => 'a') },
		{ paths: ['a'.repeat(65)] },
		{ at: 'now' },
		{ name: 'n'.repeat(33) },
		{ groups: ['a b'] },
		{ groups: Array.from({ length: 9 }, () => 'a') },
	]) {
		const text = JSON.stringify(change);
		throwsCode('ERR_MESSAGE', () => decodeReceipt(encodeJson({ ...good, ...change })), text);
	}
});

test.run();
