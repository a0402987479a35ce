import { execFileSync } from 'node:child_process';
import {
	appendFile,
	chmod,
	lstat,
	mkdir,
	rename,
	rm,
	symlink,
	unlink,
	utimes,
	writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
	changesIn,
	compareFolder,
	type FolderDifferences,
	type RecordedFolder,
} from '../../../../node/hashing/folder/compare-folder.ts';
import { EntryStamps } from '../../../../node/storage/folder/entry-stamps.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import {
	d,
	folderOf,
	l,
	locationOf,
	makeTree,
	plant,
	type Tree,
	x,
} from '../../../helpers/fixtures/trees.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('compareFolder');
const TREE: Tree = {
	'a/b': contentOf(1_000),
	'a/c/\u00e9': 'accent',
	empty: '',
	link: l('a/b'),
	run: x('#!'),
	void: d,
};
const made = folderOf(TREE);

async function compared(t: Scope, change: (root: string) => Promise<unknown> = async () => {}) {
	const root = await makeTree(t, TREE);
	const compare = (record?: RecordedFolder): FolderDifferences & { readonly hashed: number } => {
		let hashed = 0;
		const differences = compareFolder(locationOf(made, root), made.folder, record, (bytes) => {
			hashed += bytes;
		});
		return { ...differences, hashed };
	};
	const before = compare();
	const record = { seed: made.seed.id, index: made.index, stamps: before.stamps };
	await change(root);
	return { root, compare, before, record };
}

const brief = ({ bad, missing, extra, changed }: FolderDifferences) => {
	return { bad, missing, extra: [...extra].sort(), changed: changed && [...changed].sort() };
};

test('an unchanged folder has no differences; only files whose stamps are not recorded are hashed', async (t) => {
	const { compare, before, record } = await compared(t);
	assert.equal(brief(before), { bad: [], missing: [], extra: [], changed: undefined });
	assert.is(before.hashed, made.seed.length - made.index.length);
	const again = compare(record);
	assert.equal(brief(again), { bad: [], missing: [], extra: [], changed: [] });
	assert.is(again.hashed, 0);
	assert.is(compare({ ...record, seed: 'another' }).hashed, before.hashed);
});

interface Change {
	readonly change: (root: string) => Promise<unknown>;
	readonly bad?: readonly string[];
	readonly missing?: readonly string[];
	readonly extra?: readonly string[];
	/** @default the paths of `bad`, `missing` and `extra` together */
	readonly changed?: readonly string[];
}

const CHANGES: Record<string, Change> = {
	'a file has other bytes': {
		change: (root) => writeFile(join(root, 'a/b'), contentOf(1_001).subarray(1)),
		bad: ['a/b'],
	},
	'a file has the same bytes, written again': {
		change: (root) => writeFile(join(root, 'a/b'), contentOf(1_000)),
		changed: ['a/b'],
	},
	'a file is a byte longer': { change: (root) => appendFile(join(root, 'a/b'), 'x'), bad: ['a/b'] },
	'an empty file grows': { change: (root) => writeFile(join(root, 'empty'), 'x'), bad: ['empty'] },
	'a file is touched': { change: (root) => utimes(join(root, 'a/b'), 1, 1), changed: ['a/b'] },
	'a file is executable now': { change: (root) => chmod(join(root, 'a/b'), 0o755), bad: ['a/b'] },
	'a file is not executable any more': {
		change: (root) => chmod(join(root, 'run'), 0o644),
		bad: ['run'],
	},
	'a file is gone, so that an unchanged link leads nowhere': {
		change: (root) => unlink(join(root, 'a/b')),
		missing: ['a/b'],
	},
	'a file is a folder': {
		change: async (root) => {
			await unlink(join(root, 'empty'));
			await mkdir(join(root, 'empty'));
		},
		bad: ['empty'],
	},
	'a file is a folder with something in it': {
		change: async (root) => {
			await unlink(join(root, 'empty'));
			await plant(root, { 'empty/x': '' });
		},
		missing: ['empty'],
		extra: ['empty/x'],
	},
	'a file is replaced by a link to its bytes': {
		change: async (root) => {
			await rename(join(root, 'run'), join(root, 'moved'));
			await symlink('moved', join(root, 'run'));
		},
		bad: ['run'],
		extra: ['moved'],
	},
	'a link has another target': {
		change: async (root) => {
			await unlink(join(root, 'link'));
			await symlink('run', join(root, 'link'));
		},
		bad: ['link'],
	},
	'a link leads out of the folder': {
		change: async (root) => {
			await unlink(join(root, 'link'));
			await symlink('/a/b', join(root, 'link'));
		},
		bad: ['link'],
	},
	'an empty folder has something in it': {
		change: (root) => writeFile(join(root, 'void/x'), ''),
		extra: ['void/x'],
		changed: ['void', 'void/x'],
	},
	'there are more files, folders and links': {
		change: (root) => plant(root, { 'a/new': '', 'n/ew': d, newer: l('run') }),
		extra: ['a/new', 'n/ew', 'newer'],
	},
	'there is a pipe, and a name that cannot be shared': {
		change: async (root) => {
			execFileSync('mkfifo', [join(root, 'a/pipe')]);
			await writeFile(join(root, 'back\\slash'), '');
		},
		extra: ['a/pipe', 'back\\slash'],
	},
	'a folder is gone': {
		change: (root) => rm(join(root, 'a'), { recursive: true }),
		missing: ['a/b', 'a/c/\u00e9'],
	},
	'all entries are gone': {
		change: async (root) => {
			await rm(root, { recursive: true });
			await mkdir(root);
		},
		missing: ['a/b', 'a/c/\u00e9', 'empty', 'link', 'run', 'void'],
	},
};

for (const [what, { change, bad = [], missing = [], extra = [], ...rest }] of Object.entries(
	CHANGES,
)) {
	test(`if ${what}, the difference is reported`, async (t) => {
		const { compare, record } = await compared(t, change);
		const expected = rest.changed ?? [...bad, ...missing, ...extra];
		const found = brief(compare(record));
		assert.equal(found, { bad, missing, extra, changed: [...expected].sort() });
	});
}

test('if only some entries of a folder were recorded, the others count as added', async (t) => {
	const some = { 'a/b': contentOf(1_000) };
	const root = await makeTree(t, some);
	const location = locationOf(made, root);
	const first = compareFolder(location, made.folder, undefined, () => {});
	assert.equal(first.missing, ['a/c/\u00e9', 'empty', 'link', 'run', 'void']);
	const record = { seed: made.seed.id, index: made.index, stamps: first.stamps };
	assert.equal(compareFolder(location, made.folder, record, () => {}).changed, []);
	await plant(root, { run: x('#!') });
	assert.equal(compareFolder(location, made.folder, record, () => {}).changed, ['run']);
});

test('a file that a download has made is right if it looks executable since then', async (t) => {
	const root = await makeTree(t, TREE);
	const number = made.folder.entries.findIndex(({ path }) => path === 'empty');
	const path = join(root, 'empty');
	await chmod(path, 0o755);
	const stamps = new EntryStamps(made.folder.entries.length);
	stamps.set(number, await lstat(path, { bigint: true }));
	const record = { seed: made.seed.id, index: made.index, stamps: stamps.numbers };
	const compare = (known?: RecordedFolder): readonly string[] =>
		compareFolder(locationOf(made, root), made.folder, known, () => {}).bad;
	assert.equal([compare(record), compare()], [[], ['empty']]);
});

test('a link whose target was not downloaded is no difference', async (t) => {
	const root = await makeTree(t, { link: l('a/b') });
	const location = locationOf(made, root);
	const first = compareFolder(location, made.folder, undefined, () => {});
	assert.equal([first.bad, first.extra], [[], []]);
	const record = { seed: made.seed.id, index: made.index, stamps: first.stamps };
	assert.equal(changesIn(root, record), []);
});

test('names on the disk may have another Unicode form', async (t) => {
	const root = await makeTree(t, {
		...Object.fromEntries(Object.entries(TREE).filter(([path]) => path !== 'a/c/\u00e9')),
		'a/c/e\u0301': 'accent',
	});
	const { bad, missing, extra, location } = compareFolder(
		locationOf(made, root),
		made.folder,
		undefined,
		() => {},
	);
	assert.equal([...bad, ...missing, ...extra], []);
	assert.equal([...(location.names ?? [])], [['a/c/\u00e9', 'a/c/e\u0301']]);
});

test.run();
