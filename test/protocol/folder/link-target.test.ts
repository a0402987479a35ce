import * as assert from 'uvu/assert';
import type { FolderEntry } from '../../../protocol/folder/entry.ts';
import { FolderPaths, whyNoLink } from '../../../protocol/folder/link-target.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('links in a folder');

const entry = (path: string, kind: FolderEntry['kind'] = 'f'): FolderEntry => ({
	path,
	kind,
	length: 1,
	digest: '0'.repeat(64),
});

const folder = new FolderPaths([
	entry('a/b/file'),
	entry('a/link', 'l'),
	entry('p/q/r/s', 'l'),
	entry('top'),
]);

test('a link may lead to an entry or a folder inside the folder', () => {
	for (const [path, target] of [
		['a/link', 'b/file'],
		['a/link', 'b'],
		['a/link', '../top'],
		['a/link', '../a/b'],
		['p/q/r/s', '../../../top'],
		['p/q/r/s', '..'],
		['new', 'a/b/file'],
	] as const) {
		assert.is(whyNoLink(path, target, folder), undefined, `${path} -> ${target}`);
	}
});

test('a link may not lead outside, to the folder itself, through another link, or in a circle', () => {
	for (const [path, target] of [
		['a/link', '../../x'],
		['a/link', '..'],
		['top2', '..'],
		['a/link', '/etc/passwd'],
		['a/link', ''],
		['a/link', '.'],
		['a/link', 'b/./file'],
		['a/link', 'b/../b/file'],
		['a/link', 'b/file/'],
		['a/link', 'b//file'],
		['a/link', 'nothing'],
		['a/link', 'link'],
		['x', 'a/link'],
		['p/q/r/t', 's/../../x'],
		['p/q/r/t', 's/top'],
		['p/q/r/s', '../../..'],
		['a/link', 'e\u0301'],
	] as const) {
		assert.type(whyNoLink(path, target, folder), 'string', `${path} -> ${target}`);
	}
});

test.run();
