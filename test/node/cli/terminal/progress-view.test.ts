import * as assert from 'uvu/assert';
import { downloadText, showDownload } from '../../../../node/cli/terminal/progress-view.ts';
import type { Progress } from '../../../../node/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the progress line of a download');
const progress: Progress = {
	phase: 'fetching',
	id: 'a'.repeat(64),
	name: 'file.bin',
	have: 512,
	length: 1_024,
	rate: 256,
	sources: 2,
	lanes: { direct: 0, broker: 2 },
};

test('the line has the part that is there, the rate, the number of sources, and the time left', () => {
	assert.is(downloadText(progress), ' 50 %  512 B of 1.02 kB  256 B/s  2 sources  2 s left');
});

test('while bytes of this machine are looked for, the line has no time left', () => {
	const text = downloadText({ ...progress, phase: 'checking' });
	assert.is(text, ' 50 %  512 B of 1.02 kB  256 B/s  2 sources');
});

test('F6: the line says what the download waits for, whatever the number of sources', () => {
	const waiting = { ...progress, rate: 0, sources: 1 };
	const chunks = downloadText({ ...waiting, waitsFor: 'chunks' });
	assert.match(chunks, 'no node has the missing chunks; waiting for one that has them');
	assert.not.match(chunks, 'source');
	assert.match(
		downloadText({ ...waiting, waitsFor: 'lane' }),
		'no direct lane opens to the nodes that have the missing chunks; leave out --lane direct',
	);
	assert.not.match(downloadText({ ...waiting, sources: 0 }), 'no node');
});

test('before its length is known, the line says what the download waits for', () => {
	const lineOf = (about: Partial<Progress>, waits: boolean): string | undefined => {
		const lines: string[] = [];
		const view = { show: (_: string, __: number, text: string) => lines.push(text) };
		showDownload(view, { ...progress, have: 0, length: 0, ...about }, waits);
		return lines[0];
	};
	assert.is(lineOf({ phase: 'finding' }, false), 'asking who has it');
	assert.is(lineOf({ phase: 'finding' }, true), 'waiting for a node that has it');
	assert.is(lineOf({ phase: 'fetching' }, true), 'fetching the list of its files');
	const lane =
		'no direct lane opens to the nodes that have the missing chunks; leave out --lane direct';
	assert.is(lineOf({ phase: 'fetching', waitsFor: 'lane' }, true), lane);
});

test.run();
