import * as assert from 'uvu/assert';
import { SeveralDownloads } from '../../../../node/cli/terminal/several-downloads.ts';
import type { Progress } from '../../../../node/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the progress of several downloads');

const progressOf = (id: string, about: Partial<Progress>): Progress => ({
	...{ phase: 'fetching', id, have: 0, length: 1_000, rate: 0, sources: 1 },
	...{ lanes: { direct: 0, broker: 1 }, ...about },
});

test('a download that has failed counts no more, and the title says so', () => {
	const shown: [string, number, string][] = [];
	const all = new SeveralDownloads({ show: (...line) => shown.push(line) }, 3, false);
	all.show(progressOf('a', { have: 500, length: 1_000 }));
	all.show(progressOf('b', { have: 1_000, length: 9_000 }));
	assert.equal(shown.at(-1), ['3 downloads', 0.15, ' 15 %  1.5 kB of 10 kB  0 B/s  1 source']);
	all.failed('b');
	assert.equal(shown.at(-1), [
		'3 downloads, 1 failed',
		0.5,
		' 50 %  500 B of 1 kB  0 B/s  1 source',
	]);
	all.failed(undefined);
	all.show(progressOf('a', { have: 500, waitsFor: 'chunks' }));
	const [title, fraction, text] = shown.at(-1) ?? [];
	assert.equal([title, fraction], ['3 downloads, 2 failed', 0.5]);
	assert.match(String(text), /500 B of 1 kB .* no node has the missing chunks/);
});

test('while no length is known, it is told for what the downloads wait, not that they are complete', () => {
	for (const [waits, finding] of [
		[false, 'asking who has it'],
		[true, 'waiting for a node that has it'],
	] as const) {
		const shown: [string, number, string][] = [];
		const all = new SeveralDownloads({ show: (...line) => shown.push(line) }, 2, waits);
		all.show(progressOf('a', { phase: 'finding', length: 0, sources: 0 }));
		assert.equal(shown.at(-1), ['2 downloads', 0, finding]);
		all.show(progressOf('b', { length: 0, sources: 0 }));
		all.failed('a');
		assert.equal(shown.at(-1), ['2 downloads, 1 failed', 0, 'fetching the list of its files']);
		all.show(progressOf('b', { phase: 'verifying', length: 0 }));
		assert.equal(shown.at(-1)?.slice(1), [1, '100 %  0 B of 0 B  0 B/s  1 source']);
	}
});

test.run();
