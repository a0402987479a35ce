import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { findInFolder } from '../../../node/gateway/folder-level.ts';
import { comparePaths, type FolderEntry } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('a level of a folder');

const entry = (path: string, kind: FolderEntry['kind'] = 'f', length = path.length) =>
	({ path, kind, length, digest: '' }) satisfies FolderEntry;

function sorted(...entries: FolderEntry[]): FolderEntry[] {
	return entries.sort((a, b) => comparePaths(a.path, b.path));
}

/** Returns the level at `path`, one line for each row. */
function rowsAt(entries: readonly FolderEntry[], path: string): string[] | undefined {
	const found = findInFolder(entries, path);
	return found !== undefined && 'level' in found
		? found.level.rows.map(({ name, entry, files, length }) => {
				return `${entry?.kind ?? 'folder'} ${name} ${files} ${length}`;
			})
		: undefined;
}

test('lists folders first, each with the number and bytes of its files, then the other entries', () => {
	const entries = sorted(
		entry('z.txt'),
		entry('a/b/c', 'x', 10),
		entry('a/b/d', 'l', 3),
		entry('a/e', 'f', 20),
		entry('a.txt', 'f', 1),
		entry('empty', 'd', 0),
		entry('link', 'l', 5),
	);
	assert.equal(rowsAt(entries, ''), [
		'folder a 2 30',
		'd empty 0 0',
		'f a.txt 1 1',
		'l link 0 0',
		'f z.txt 1 5',
	]);
	assert.equal(rowsAt(entries, 'a'), ['folder b 1 10', 'f e 1 20']);
	assert.equal(rowsAt(entries, 'a/b'), ['x c 1 10', 'l d 0 0']);
	assert.equal(rowsAt(entries, 'empty'), []);
	assert.equal(rowsAt([], ''), []);
	const { level } = findInFolder(entries, '') as { level: { files: number; length: number } };
	assert.equal([level.files, level.length], [4, 36]);
});

test('files and links are found by their paths; any other path is not found', () => {
	const entries = sorted(entry('a/b'), entry('a-b'), entry('link', 'l'), entry('constructor'));
	for (const path of ['a/b', 'a-b', 'link', 'constructor']) {
		assert.equal(findInFolder(entries, path), {
			entry: entries.find((each) => each.path === path),
		});
	}
	for (const path of ['b', 'a/', 'a/b/c', 'a/c', 'A', 'a-', '__proto__', 'link/x', '/a', 'zzz']) {
		assert.is(findInFolder(entries, path), undefined, path);
	}
});

test('has the same rows as a search through all paths', () => {
	const part = fc.stringMatching(/^[a-b.-]{1,2}$/).filter((text) => !/^\.+$/.test(text));
	const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
	fc.assert(
		fc.property(fc.uniqueArray(path, { maxLength: 30 }), path, (paths, asked) => {
			const leaves = paths.filter((each) => !paths.some((other) => each.startsWith(`${other}/`)));
			const entries = sorted(...leaves.map((each) => entry(each)));
			for (const at of ['', asked, ...leaves.map((each) => each.replace(/\/[^/]*$/, ''))]) {
				const prefix = at === '' ? '' : `${at}/`;
				const below = leaves.filter((each) => each.startsWith(prefix));
				const found = findInFolder(entries, at);
				if (leaves.includes(at)) {
					assert.ok(found !== undefined && 'entry' in found && found.entry.path === at);
				} else if (at !== '' && below.length === 0) {
					assert.is(found, undefined);
				} else {
					assert.ok(found !== undefined && 'level' in found);
					const names = new Set(below.map((each) => each.slice(prefix.length).split('/')[0]));
					assert.equal(new Set(found.level.rows.map(({ name }) => name)), names);
					assert.is(found.level.rows.length, names.size);
					const files = found.level.rows.reduce((sum, row) => sum + row.files, 0);
					assert.equal([found.level.files, files], [below.length, below.length]);
				}
			}
		}),
	);
});

test.run();
