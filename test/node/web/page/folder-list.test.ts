import * as assert from 'uvu/assert';
import { bytesOf, rowsOf, rowsWith } from '../../../../node/web/page/folder-list.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the list of the files of a folder');

const folder = {
	state: 'open',
	paths: 'a/\u200fb\nc\nd\ne',
	kinds: ['f', 'x', 'd', 'l'],
	lengths: [5, 6, 0, 3],
	wanted: 'all',
} as const;

test('each row has the kind of its entry, and invisible characters are escaped', () => {
	const rows = rowsOf(folder);
	assert.equal(
		rows.map(({ path, shown, isFile, kind }) => [path, shown, isFile, kind]),
		[
			['a/\u200fb', 'a/\\u{200f}b', true, undefined],
			['c', 'c', true, undefined],
			['d', 'd', false, 'empty folder'],
			['e', 'e', false, 'link'],
		],
	);
	assert.is(bytesOf(rows), 14);
	assert.equal(rowsOf({ ...folder, paths: '', kinds: [], lengths: [] }), []);
});

test('a search finds each path that contains the text, in upper or lower case', () => {
	const found = (query: string) => rowsWith(rowsOf(folder), query).map(({ path }) => path);
	assert.equal(found('A/'), ['a/\u200fb']);
	assert.equal(found('C'), ['c']);
	assert.is(found('').length, 4);
	assert.equal(found('x'), []);
});

test.run();
