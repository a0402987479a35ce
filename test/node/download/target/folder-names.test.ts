import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
	checkNames,
	foldsCase,
	nameRulesIn,
} from '../../../../node/download/target/folder-names.ts';
import type { FolderEntry } from '../../../../protocol/index.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('name rules of a folder');
const entriesOf = (...paths: string[]): FolderEntry[] =>
	paths.map((path) => ({ path, kind: 'f', length: 0, digest: '' }));
const LINUX = { isFolding: false, hasLinks: true, isWindows: false };
const MAC = { ...LINUX, isFolding: true };
const WINDOWS = { ...MAC, isWindows: true };

test('foldsCase tests the folder with a file, and leaves nothing', async (t) => {
	const folder = await makeFolder(t);
	// On other systems both results are possible.
	assert.is(
		await foldsCase(folder),
		process.platform === 'linux' ? false : await foldsCase(folder),
	);
	const { hasLinks } = await nameRulesIn(folder, true);
	assert.is(hasLinks, process.platform !== 'win32' || hasLinks);
	assert.equal(await readdir(folder), []);
	assert.is((await rejects(foldsCase(join(folder, 'nothing')))).code, 'ERR_NO_FILE');
});

const TWINS: ReadonlyArray<readonly string[]> = [
	['a', 'A'],
	['folder/a', 'folder/A'],
	['folder/a', 'Folder/b'],
	['folder/a', 'Folder'],
	['\u00e4', '\u00c4'],
	['x/y/z/1', 'x/Y/z/2'],
	['b', 'a/1', 'c', 'A/2'],
];

for (const paths of TWINS) {
	test(`${paths.join(' and ')} are the same file where case is folded, and both are named`, () => {
		checkNames(entriesOf(...paths), LINUX);
		const { message } = throwsCode('ERR_NAME', () => checkNames(entriesOf(...paths), MAC));
		assert.is(message.match(/"/g)?.length, 4);
		assert.match(message, /--exclude/);
	});
}

test('names that differ in more than case, and folders with several entries, are allowed on every system', () => {
	const entries = entriesOf('a/b/1', 'a/b/2', 'a/c', 'ab', 'b/a/1', 'B2');
	for (const system of [LINUX, MAC, WINDOWS]) {
		checkNames(entries, system);
	}
});

test('where case is folded, paths are refused exactly if two names differ only in case', () => {
	const part = fc.constantFrom('a', 'A', 'b', 'B', 'aa', 'Aa');
	const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
	fc.assert(
		fc.property(fc.uniqueArray(path, { maxLength: 6 }), (paths) => {
			const prefixes = new Set(
				paths.flatMap((each) => {
					const parts = each.split('/');
					return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
				}),
			);
			const folded = new Set([...prefixes].map((each) => each.toLowerCase()));
			const check = (): void => checkNames(entriesOf(...paths), MAC);
			if (folded.size < prefixes.size) {
				throwsCode('ERR_NAME', check);
			} else {
				check();
			}
		}),
	);
});

for (const name of [
	'a:b',
	'a?',
	'a*',
	'x<y',
	'x>y',
	'a|b',
	'a"b',
	'NUL',
	'com1.txt',
	'dot.',
	'space ',
]) {
	test(`Windows cannot store ${name}, neither a file nor a folder; other systems can`, () => {
		for (const path of [name, `folder/${name}`, `${name}/file`]) {
			checkNames(entriesOf(path), MAC);
			throwsCode('ERR_NAME', () => checkNames(entriesOf('good', path), WINDOWS));
		}
	});
}

test.run();
