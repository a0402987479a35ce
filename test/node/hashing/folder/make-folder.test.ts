import { execFile, execFileSync } from 'node:child_process';
import {
	appendFileSync,
	mkdirSync,
	renameSync,
	rmSync,
	symlinkSync,
	truncateSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import { chmod, mkdir, readFile, rm, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { rightInFolder } from '../../../../node/hashing/folder/folder-chunks.ts';
import { checkUnchanged, draftOf, hashFiles } from '../../../../node/hashing/folder/folder-jobs.ts';
import { makeFolder } from '../../../../node/hashing/folder/make-folder.ts';
import { Folder } from '../../../../protocol/index.ts';
import { makeFolder as temporary } from '../../../helpers/fixtures/folder.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import {
	d,
	folderOf,
	l,
	linesIn,
	makeTree,
	plant,
	sha256,
	type Tree,
	x,
} from '../../../helpers/fixtures/trees.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('makeFolder');
const MIB = 1024 * 1024;
const large = (length: number): Buffer => Buffer.alloc(length, 'the bytes of a large file');
const TREE: Tree = {
	'a/b/c': contentOf(300_000),
	'a/i': 'dotted in another language',
	'a/I': 'and upper case',
	'a/ı': 'and without a dot',
	'z/ä': contentOf(10),
	'z/link': l('../a/b'),
	run: x('#!/bin/sh\n'),
	'void/of/all': d,
	nothing: '',
	large: large(17 * MIB),
};
const expected = folderOf(TREE);
const MODULE = fileURLToPath(
	new URL('../../../../node/hashing/folder/make-folder.js', import.meta.url),
);

test('the seed describes the index and the content', async (t) => {
	const root = await makeTree(t, TREE);
	let bytes = 0;
	let length = 0;
	const { seed, folder } = await makeFolder(root, {
		onBytes: (more) => {
			bytes += more;
		},
		onLength: (all) => {
			length = all;
		},
	});
	assert.is(seed.name, 'folder');
	assert.equal(seed.text(), expected.seed.text());
	assert.equal(Buffer.from(folder.index), Buffer.from(expected.index));
	assert.is(length, seed.length);
	assert.ok(bytes > 1.9 * (seed.length - folder.index.length) && bytes <= 2 * seed.length);
});

test('equal trees have equal seeds, whatever their names, times, permissions, and order of creation', async (t) => {
	const { seed } = expected;
	const reversed = Object.fromEntries(Object.entries(TREE).reverse());
	const before = process.umask(0o077);
	t.defer(() => process.umask(before));
	const root = await makeTree(t, reversed, 'another name');
	await utimes(join(root, 'a/b/c'), 1, 1);
	await chmod(join(root, 'run'), 0o711);
	await chmod(join(root, 'nothing'), 0o464);
	await chmod(join(root, 'z'), 0o500);
	const other = await makeFolder(root);
	assert.is(other.seed.id, seed.id);
	assert.is(other.seed.name, 'another name');
	await chmod(join(root, 'z'), 0o700);
});

test('equal trees have equal seeds in another locale, and with another umask', async (t) => {
	const root = await makeTree(t, TREE);
	const script = join(await temporary(t), 'make.mjs');
	await writeFile(
		script,
		`process.umask(0o777);
		const { makeFolder } = await import(process.argv[2]);
		console.log((await makeFolder(process.argv[3])).seed.id);`,
	);
	const env = { ...process.env, LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', TZ: 'Asia/Tokyo' };
	const args = [script, MODULE, root];
	const { stdout } = await promisify(execFile)(process.execPath, args, { env });
	assert.is(stdout.trim(), expected.seed.id);
});

test('two trees have equal seeds exactly if they are equal', async (t) => {
	const name = fc.constantFrom('a', 'b', 'a.b', 'A', 'ä', 'a b', '~', '!');
	const leaf = fc.oneof(
		fc.constant(d),
		fc.constantFrom('', 'text').map((text) => x(text)),
		fc.uint8Array({ maxLength: 3 }),
	);
	const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
	const trees = fc
		.dictionary(path, leaf, { maxKeys: 5, noNullPrototype: true })
		.map((tree) =>
			Object.fromEntries(
				Object.entries(tree).filter(
					([each]) => !Object.keys(tree).some((other) => other.startsWith(`${each}/`)),
				),
			),
		);
	const ids = new Map<string, string>();
	await fc.assert(
		fc.asyncProperty(trees, async (tree) => {
			const root = await makeTree(t, tree);
			const draft = draftOf(root, []);
			const index = hashFiles(
				draft,
				new Folder(draft.location.seed, draft.location.index),
				() => {},
			);
			assert.equal(new Uint8Array(index), folderOf(tree).index);
			const id = sha256(index);
			const lines = (await linesIn(root)).join('\n');
			assert.is(ids.get(lines) ?? id, id);
			ids.set(lines, id);
			await rm(root, { recursive: true });
		}),
		{ numRuns: 60 },
	);
	assert.is(new Set(ids.values()).size, ids.size);
});

const VANISHING: Record<string, (root: string) => void> = {
	'has another byte': (root) => writeFileSync(join(root, 'b/file'), 'x', { flag: 'r+' }),
	grows: (root) => appendFileSync(join(root, 'b/file'), 'more'),
	shrinks: (root) => truncateSync(join(root, 'b/file'), 5),
	vanishes: (root) => unlinkSync(join(root, 'b/file')),
	'is moved': (root) => renameSync(join(root, 'b/file'), join(root, 'c')),
	'is touched': (root) => utimesSync(join(root, 'b/file'), 1, 1),
	'is replaced by the same bytes': (root) => {
		writeFileSync(join(root, 'new'), large(9 * MIB));
		renameSync(join(root, 'new'), join(root, 'b/file'));
	},
	'is moved and replaced by a link to it': (root) => {
		renameSync(join(root, 'b/file'), join(root, 'b/moved'));
		symlinkSync('moved', join(root, 'b/file'));
	},
	'is replaced by a folder': (root) => {
		unlinkSync(join(root, 'b/file'));
		mkdirSync(join(root, 'b/file'));
	},
	'is replaced by a pipe': (root) => {
		unlinkSync(join(root, 'b/file'));
		execFileSync('mkfifo', [join(root, 'b/file')]);
	},
	'vanishes with its folder': (root) => rmSync(join(root, 'b'), { recursive: true }),
};

for (const [what, change] of Object.entries(VANISHING)) {
	test(`a file that ${what} after the scan of the folder is found to have changed`, async (t) => {
		const root = await makeTree(t, { 'b/file': large(MIB), 'a/first': 'text' });
		const draft = draftOf(root, []);
		const folder = new Folder(draft.location.seed, draft.location.index);
		checkUnchanged(draft, folder);
		change(root);
		const path = join(root, 'b/file');
		assert.throws(
			() => checkUnchanged(draft, folder),
			(error: Error & { path?: string; code?: string }) =>
				error.code === 'ECHANGED' && error.path === path,
		);
		assert.throws(
			() => hashFiles(draft, folder, () => {}),
			(error: { path?: string }) => error.path === path,
		);
	});
}

/**
 * The moment of the change: after the scan (`onLength`), or after some bytes were hashed
 * (`onBytes`).
 */
const MOMENTS = [
	['onLength', 'vanishes'],
	['onLength', 'is replaced by a pipe'],
	['onLength', 'grows'],
	['onBytes', 'vanishes with its folder'],
	['onBytes', 'has another byte'],
] as const;

for (const [moment, what] of MOMENTS) {
	test(`a file that ${what} while it is hashed (${moment}) is ERR_CHANGED, and the error names it`, async (t) => {
		const root = await makeTree(t, { 'b/file': large(9 * MIB), 'a/first': large(5 * MIB) });
		let isDone = false;
		const once = (): void => {
			if (!isDone) {
				isDone = true;
				VANISHING[what]?.(root);
			}
		};
		const error = await rejects(makeFolder(root, { [moment]: once }));
		assert.is(error.code, 'ERR_CHANGED');
		assert.match(error.message, join(root, 'b/file'));
	});
}

const SMALL: Record<string, (root: string) => void> = {
	'an empty file that grows': (root) => writeFileSync(join(root, 'empty'), 'x'),
	'an empty file that vanishes': (root) => unlinkSync(join(root, 'empty')),
	'an empty folder that gets an entry': (root) => writeFileSync(join(root, 'void/x'), ''),
	'a link that gets another target': (root) => {
		unlinkSync(join(root, 'link'));
		symlinkSync('void', join(root, 'link'));
	},
};

for (const [what, change] of Object.entries(SMALL)) {
	test(`${what} after the scan of the folder is found to have changed`, async (t) => {
		const root = await makeTree(t, { empty: '', link: l('empty'), void: d, file: 'text' });
		const draft = draftOf(root, []);
		const folder = new Folder(draft.location.seed, draft.location.index);
		change(root);
		assert.throws(
			() => checkUnchanged(draft, folder),
			({ code, path }: { code: string; path: string }) =>
				code === 'ECHANGED' && /(empty|void|link)$/.test(path),
		);
	});
}

test('entries that cannot be shared are an error, which names five and the number of the others; or they are skipped and reported', async (t) => {
	const root = await makeTree(t, { good: 'a' });
	for (let at = 0; at < 7; at += 1) {
		await plant(root, { [`bad${at}`]: l('/etc/passwd') });
	}
	const error = await rejects(makeFolder(root));
	assert.is(error.code, 'ERR_SEED');
	assert.is(error.message.match(/bad\d/g)?.length, 5);
	assert.match(error.message, /and 2 more/);
	const left: string[] = [];
	const onOdd = (odd: readonly { path: string }[]): void => {
		left.push(...odd.map(({ path }) => path));
	};
	const { seed, folder } = await makeFolder(root, { skipOdd: true, onOdd });
	assert.is(left.length, 7);
	assert.is(seed.id, folderOf({ good: 'a' }).seed.id);
	assert.is(folder.files, 1);
	const excluded = await makeFolder(root, { exclude: ['bad*'], onOdd });
	assert.is(excluded.seed.id, seed.id);
	assert.is(left.length, 7);
});

test('a file in a folder is read under its name on the disk, whatever its Unicode form', async (t) => {
	const tree = { 'e\u0301/u\u0308': contentOf(1_000), 'e\u0301/\u00e4': 'b' };
	const root = await makeTree(t, tree, 'o\u0308');
	const { seed, location } = await makeFolder(root);
	assert.is(seed.name, '\u00f6');
	assert.is(seed.id, folderOf({ '\u00e9/\u00fc': contentOf(1_000), '\u00e9/\u00e4': 'b' }).seed.id);
	assert.ok((await rightInFolder(location, seed, {})).isFull);
	await writeFile(join(root, 'e\u0301/\u00e4'), 'c');
	assert.is((await rightInFolder(location, seed, {})).count, 0);
});

test('more bytes than a seed can describe are refused before a byte is read', async (t) => {
	const root = await makeTree(t, { a: '', b: '' });
	for (const name of ['a', 'b']) {
		await truncate(join(root, name), 3 * 2 ** 40);
	}
	const { message } = throwsCode('ERR_LIMIT', () => draftOf(root, []));
	assert.match(message, /4398046511104 at most/);
});

test('the signal stops the work, and no file stays open', async (t) => {
	const root = await makeTree(t, TREE);
	const stop = new AbortController();
	const making = makeFolder(root, { signal: stop.signal, onLength: () => stop.abort() });
	assert.is((await rejects(making)).code, 'ERR_ABORTED');
	assert.is((await rejects(makeFolder(root, { signal: stop.signal }))).code, 'ERR_ABORTED');
});

test('a folder that does not exist, and a folder without a name, each have their own error', async (t) => {
	const root = await makeTree(t, TREE);
	assert.is((await rejects(makeFolder(join(root, 'nothing here')))).code, 'ERR_NO_FILE');
	assert.is((await rejects(makeFolder(join(root, 'large')))).code, 'ERR_NO_FILE');
	assert.is((await rejects(makeFolder('/'))).code, 'ERR_NAME');
	await mkdir(join(root, '..', 'bad\tname'));
	assert.is((await rejects(makeFolder(join(root, '..', 'bad\tname')))).code, 'ERR_NAME');
});

test('rightInFolder finds the right chunks, and counts chunks of missing files as wrong', async (t) => {
	const chunkSize = 512;
	const made = folderOf({ a: contentOf(2_000), 'b/c': contentOf(700), d: x('e') }, { chunkSize });
	const root = await makeTree(t, { a: contentOf(2_000), 'b/c': contentOf(700), d: x('e') });
	const { index, seed } = made;
	const location = {
		root,
		index,
		seed: {
			id: seed.id,
			length: seed.length,
			index: index.length,
			digest: seed.digest,
			layout: { chunkSize },
		},
	};
	assert.ok((await rightInFolder(location, seed, {})).isFull);
	await unlink(join(root, 'd'));
	const bytes = await readFile(join(root, 'a'));
	await writeFile(join(root, 'a'), bytes.fill(0, 1_999));
	const at = (made.folder.find('a')?.offset as number) + 1_999;
	const right = await rightInFolder(location, seed, {});
	const wrong = [...Array(seed.chunks).keys()].filter((chunk) => !right.has(chunk));
	assert.equal(wrong, [Math.floor(at / chunkSize), seed.chunks - 1]);
});

test.run();
