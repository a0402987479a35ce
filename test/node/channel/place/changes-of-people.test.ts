import { lstat, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { openInPlace } from '../../../../node/channel/place/in-place.ts';
import { isShoalError } from '../../../../protocol/index.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import {
	d,
	type Leaf,
	l,
	linesIn,
	linesOf,
	type Tree,
	x,
} from '../../../helpers/fixtures/trees.ts';
import { CHANNEL, download, folder, versionOf } from '../../../helpers/harness/following.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('versions and changes of people');
const PATHS = ['a', 'a/x', 'a/x/z', 'a/y', 'b', 'b/b', 'c', 'c/d/e', 'c/d'];
const BYTES = ['one', 'two', 'three'];

type Kind = 'f' | 'x' | 'l' | 'd';

/** An entry that a version has, or that people make. */
interface Made {
	readonly path: string;
	readonly kind: Kind;
	readonly bytes: string;
}

const made = fc.record({
	path: fc.constantFrom(...PATHS),
	kind: fc.constantFrom<Kind[]>('f', 'f', 'f', 'x', 'l', 'd'),
	bytes: fc.constantFrom(...BYTES),
});
const trees = fc.array(made, { maxLength: 8 });
const edits = fc.array(fc.record({ made, isRemoved: fc.boolean() }), { maxLength: 4 });

function leafOf({ path, kind, bytes }: Made): Leaf | string {
	const target = `${'../'.repeat(path.split('/').length - 1)}always`;
	const leaves = { f: bytes, x: x(bytes), l: l(target), d };
	return leaves[kind];
}

/** A tree of those entries of which none is below another. */
function treeOf(all: readonly Made[]): Tree {
	const tree: Record<string, Leaf | string> = { always: 'always' };
	for (const each of all) {
		const isFree = Object.keys(tree).every(
			(path) => !isIn(path, each.path) && !isIn(each.path, path),
		);
		if (isFree) {
			tree[each.path] = leafOf(each);
		}
	}
	return tree;
}

function isIn(path: string, folderPath: string): boolean {
	return path === folderPath || path.startsWith(`${folderPath}/`);
}

/** Makes a change in the folder. Files in the way of it are removed. */
async function edit(dir: string, each: Made, isRemoved: boolean): Promise<void> {
	const parts = each.path.split('/');
	for (const count of parts.keys()) {
		const path = join(dir, ...parts.slice(0, count + 1));
		const stats = await lstat(path).catch(() => undefined);
		if (count === parts.length - 1 || stats?.isDirectory() === false) {
			await rm(path, { recursive: true, force: true });
		}
	}
	if (isRemoved) {
		return;
	}
	const full = join(dir, each.path);
	await mkdir(dirname(full), { recursive: true });
	if (each.kind === 'd') {
		await mkdir(full);
	} else if (each.kind === 'l') {
		await symlink(`mine-${each.bytes}`, full);
	} else {
		await writeFile(full, each.bytes, { mode: each.kind === 'x' ? 0o755 : 0o644 });
	}
}

const pathOf = (line: string): string => line.split(' ').slice(2).join(' ');

/** The entries of the folder, without empty folders. */
async function leavesIn(dir: string): Promise<string[]> {
	const lines = await linesIn(dir);
	return lines.filter((line) => !line.startsWith('d ') && !isIn(pathOf(line), '.shoal'));
}

/** The entries after a switch, from those before it: a simple model. */
function expected(before: readonly string[], older: Tree, next: Tree, seq: number): string[] {
	const [olderLines, nextLines] = [new Set(linesOf(older)), new Set(linesOf(next))];
	const leaves = [...nextLines].filter((line) => !line.startsWith('d ')).map(pathOf);
	const all = [...nextLines].map(pathOf);
	const folders = [...nextLines].filter((line) => line.startsWith('d ')).map(pathOf);
	const isFolder = (path: string): boolean =>
		folders.includes(path) || all.some((each) => each !== path && isIn(each, path));
	const kept = before
		.filter((line) => !olderLines.has(line) && !nextLines.has(line))
		.map((line) => {
			const path = pathOf(line);
			const inTheWay = isFolder(path) ? path : leaves.find((leaf) => isIn(path, leaf));
			const name =
				inTheWay === undefined ? path : `${inTheWay}.mine-${seq}${path.slice(inTheWay.length)}`;
			return line.slice(0, line.length - path.length) + name;
		});
	const files = [...nextLines].filter((line) => !line.startsWith('d '));
	return [...files, ...kept].sort();
}

test('the folder has the version, and what people made is in its place or aside', async (t) => {
	const steps = fc.array(fc.tuple(edits, trees, edits), { minLength: 2, maxLength: 3 });
	const property = fc.asyncProperty(steps, async (all) => {
		const dir = join(await makeFolder(t), 'dir');
		const place = await openInPlace(dir, { channel: CHANNEL });
		try {
			let older: Tree = {};
			for (const [at, [editsBefore, entries, editsMeanwhile]] of all.entries()) {
				const [seq, next] = [at + 1, treeOf(entries)];
				const change = async (changes: typeof editsBefore): Promise<void> => {
					for (const { made: each, isRemoved } of changes) {
						await edit(dir, each, isRemoved);
					}
				};
				await change(editsBefore);
				await download(place, folder(next), seq);
				await change(editsMeanwhile);
				const before = await leavesIn(dir);
				await place.apply(versionOf(folder(next), seq)).catch(async (error) => {
					assert.ok(isShoalError(error, 'ERR_CHANGED'), error.stack);
					await download(place, folder(next), seq);
					await place.apply(versionOf(folder(next), seq));
				});
				assert.equal(await leavesIn(dir), expected(before, older, next, seq));
				const there = new Set(await linesIn(dir));
				const empty = linesOf(next).filter((line) => line.startsWith('d '));
				const isThere = (line: string): boolean =>
					there.has(line) || [...there].some((each) => isIn(pathOf(each), pathOf(line)));
				assert.ok(empty.every(isThere), 'empty folders');
				older = next;
			}
		} finally {
			await place.close();
			await rm(dirname(dir), { recursive: true, force: true });
		}
	});
	const numRuns = Number(process.env.SHOAL_RUNS ?? 25);
	await fc.assert(property, { numRuns, endOnFailure: numRuns > 25 });
});

test.run();
