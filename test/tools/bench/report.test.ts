import { readFile } from 'node:fs/promises';
import * as assert from 'uvu/assert';
import { makeFile } from '../../helpers/harness/node.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { median, type Results, writePage } from './report.ts';

const test = suite('the report of the benchmarks');
const results: Results = {
	at: '2026-01-02T03:04:05.678Z',
	machine: 'a machine',
	node: 'v20.19.0',
	commit: '0123456789ab',
	rounds: 2,
	isQuick: false,
	swarms: [
		{
			swarm: { name: '1-1', seeders: 1, downloaders: 1, length: 1_000_000, lane: 'broker' },
			runs: [
				{ ms: 1_000, plainMs: 500, copies: 1, usages: { broker: { cpu: 0.5, peak: 1e8 } } },
				{ ms: 3_000, plainMs: 500, copies: 2, usages: { broker: { cpu: 1.5, peak: 1e8 } } },
			],
		},
	],
	micro: [{ name: 'hash', about: 'SHA-256', microseconds: [3, 1] }],
};

test('the median is the value in the middle, or the mean of the two in the middle', () => {
	assert.is(median([5]), 5);
	assert.is(median([9, 1, 2]), 2);
	assert.is(median([4, 1, 3, 2]), 2.5);
});

test('a new report replaces the old one, and the text around it stays', async (t) => {
	const page = await readFile(new URL('../../../../docs/benchmarks.md', import.meta.url), 'utf8');
	const path = await makeFile(t, page, 'benchmarks.md');
	writePage(path, results);
	const once = await readFile(path, 'utf8');
	assert.match(
		once,
		/a machine; Node v20\.19\.0; commit 0123456789ab; 2026-01-02; median of 2 rounds/,
	);
	assert.match(
		once,
		/\| 1-1 +\| 1 MB \| 2\.00 \| 1 +\| 4\.00 +\| 1\.50 +\| 1\.00 \/ 0\.00 \/ 0\.00 /,
	);
	assert.match(once, /\| hash +\| SHA-256 \| 2\.0 \|/);
	writePage(path, results);
	assert.is(await readFile(path, 'utf8'), once);
	const prose = (text: string) => [text.split('<!--')[0], text.split('-->').at(-1)];
	assert.equal(prose(once), prose(page));
});

test('a page without markers is not changed', async (t) => {
	const path = await makeFile(t, '# Benchmarks', 'benchmarks.md');
	assert.throws(() => writePage(path, results), /lacks the lines/);
	assert.is(await readFile(path, 'utf8'), '# Benchmarks');
});

test.run();
