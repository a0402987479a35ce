import * as assert from 'uvu/assert';
import { bar, blockMap } from '../../../../node/cli/terminal/bar.ts';
import { table } from '../../../../node/cli/terminal/table.ts';
import { fit, wrap } from '../../../../node/cli/terminal/text.ts';
import {
	countOf,
	formatBytes,
	formatRate,
	formatTime,
	formatTimeLeft,
	percent,
	shareOf,
} from '../../../../node/cli/terminal/units.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('units, bars and tables');

test('sizes and rates are decimal', () => {
	assert.is(formatBytes(0), '0 B');
	assert.is(formatBytes(1_337_000), '1.34 MB');
	assert.is(formatRate(20_000_000), '20 MB/s');
});

test('a time has only the units that it needs', () => {
	assert.is(formatTime(0), '0 ms');
	assert.is(formatTime(998.6), '999 ms');
	assert.is(formatTime(999.6), '1.0 s');
	assert.is(formatTime(59_940), '59.9 s');
	assert.is(formatTime(59_960), '1:00 min');
	assert.is(formatTime(187_000), '3:07 min');
	assert.is(formatTime(8_100_000), '2:15:00 h');
});

test('a time that is left has whole seconds', () => {
	assert.is(formatTimeLeft(6), '6 s');
	assert.is(formatTimeLeft(65), '1:05 min');
});

test('the noun after a count is singular or plural', () => {
	assert.is(countOf(0, 'seeder'), '0 seeders');
	assert.is(countOf(1, 'seeder'), '1 seeder');
	assert.is(countOf(1_200, 'seeder'), '1,200 seeders');
});

test('100 percent is shown only for a complete content', () => {
	assert.is(percent(0, 10), 0);
	assert.is(percent(9_999, 10_000), 99);
	assert.is(percent(10, 10), 100);
	assert.is(percent(0, 0), 100);
	assert.is(shareOf(2, 3), 67);
	assert.is(shareOf(0, 0), 0);
});

test('a bar is exact to an eighth of a column and has a fixed width', () => {
	assert.is(bar(0, 4), '░░░░');
	assert.is(bar(0.5, 4), '██░░');
	assert.is(bar(1 / 32, 4), '▏░░░');
	assert.is(bar(0.999, 4), '███▉');
	assert.is(bar(1, 4), '████');
	assert.is(bar(7, 4), '████');
	assert.is(bar(-1, 4), '░░░░');
});

test('a map shows empty, partial and full buckets', () => {
	assert.is(blockMap('0'), ' ');
	assert.is(blockMap('1'), '▁');
	assert.is(blockMap('e'), '▇');
	assert.is(blockMap('f'), '█');
	assert.is(blockMap(`${'f'.repeat(32)}${'0'.repeat(32)}`, 4), '██  ');
	assert.is(blockMap('f0'.repeat(32), 2), '▄▄');
});

test('wide characters count as two columns, combining marks as none', () => {
	assert.is(fit('abcdef', 6), 'abcdef');
	assert.is(fit('abcdef', 5), 'abcd…');
	assert.is(fit('文件文件', 5), '文件…');
	assert.is(fit('🐟🐟🐟', 5), '🐟🐟…');
	assert.is(fit('e\u0301e\u0301e\u0301', 3), 'e\u0301e\u0301e\u0301');
});

test('the columns of a table are aligned, without trailing spaces', () => {
	const lines = table(
		[{ title: 'NAME', most: 6 }, { title: 'SIZE', align: 'right' }, { title: 'ID' }],
		[
			['a', '1 B', 'x'],
			['文件文件', '12 kB', 'yy'],
		],
	);
	assert.equal(lines, ['NAME    SIZE  ID', 'a        1 B  x', '文件…  12 kB  yy']);
});

test('text is wrapped between words, and a long word is not broken', () => {
	assert.equal(wrap('one two three', 7), ['one two', 'three']);
	assert.equal(wrap('a verylongword b', 5), ['a', 'verylongword', 'b']);
	assert.equal(wrap('', 5), ['']);
});

test.run();
