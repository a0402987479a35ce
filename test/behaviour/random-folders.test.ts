import { isUtf8 } from 'node:buffer';
import { realpath, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { whyNoPath } from '../../protocol/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import {
	type FoundEntry,
	findAll,
	plantRandom,
	randomTrees,
} from '../helpers/fixtures/random-trees.ts';
import { sha256 } from '../helpers/fixtures/trees.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { suite } from '../helpers/harness/suite.ts';

// Random trees are shared and got. The copy is equal, except for entries that share has named.

const RUNS = Number(process.env.SHOAL_TREES ?? 12);
const test = suite('random folders', { timeout: 120_000 + 10_000 * RUNS });

const textOf = (path: Buffer): string => path.toString().normalize('NFC');

/**
 * Divides entries: `good` are those that can be shared by their names and the names of all folders
 * around them; `odd` are the topmost of the others.
 */
function sorted(all: readonly FoundEntry[]): { good: FoundEntry[]; odd: FoundEntry[] } {
	const forms = new Map<string, number>();
	for (const { path } of all) {
		forms.set(textOf(path), (forms.get(textOf(path)) ?? 0) + 1);
	}
	const isBad = ({ path }: FoundEntry): boolean =>
		!isUtf8(path) || whyNoPath(textOf(path)) !== undefined || (forms.get(textOf(path)) ?? 0) > 1;
	const odd = all.filter(isBad);
	const isBelow = ({ path }: FoundEntry, folder: FoundEntry): boolean =>
		path.subarray(0, folder.path.length + 1).equals(Buffer.concat([folder.path, Buffer.from('/')]));
	const topmost = odd.filter((each) => !odd.some((other) => isBelow(each, other)));
	const good = all.filter((each) => !topmost.some((bad) => bad === each || isBelow(each, bad)));
	return { good, odd: topmost };
}

const lineOf = ({ path, kind, bytes }: FoundEntry): string =>
	`${kind} ${sha256(bytes)} ${textOf(path)}`;

test('a random folder arrives as it was shared, byte by byte, and every entry that is left out is named', async (t) => {
	const { url } = await startBroker(t);
	const [seeder, getter] = [await startNode(t, url), await startNode(t, url)];
	const root = await makeFolder(t);
	const [source, place] = [join(root, 'source'), join(root, 'copies')];
	let [files, left] = [0, 0];
	await fc.assert(
		fc.asyncProperty(randomTrees, async (tree) => {
			await plantRandom(Buffer.from(source), tree);
			const odd: string[] = [];
			const share = await seeder.share(source, {
				skipOdd: true,
				onOdd: (named) => odd.push(...named.map(({ path }) => path)),
			});
			const { path: copy } = await getter.get(share.seed, { output: `${place}/` });
			const expected = sorted(await findAll(Buffer.from(source)));
			const got = await findAll(Buffer.from(copy));
			const isFile = ({ kind }: FoundEntry): boolean => kind === 'f' || kind === 'x';
			assert.equal(
				got.filter(isFile).map(lineOf).sort(),
				expected.good.filter(isFile).map(lineOf).sort(),
				'every file, under its name in form C',
			);
			const folders = (all: readonly FoundEntry[]): string[] =>
				all
					.filter(({ kind }) => kind === 'd')
					.map(lineOf)
					.sort();
			assert.equal(folders(got), folders(expected.good), 'every folder, also empty ones');
			const links = got.filter(({ kind }) => kind === 'l');
			const before = new Set(expected.good.filter(({ kind }) => kind === 'l').map(lineOf));
			for (const link of links) {
				assert.ok(before.has(lineOf(link)), 'every link has the same target');
				const real = await realpath(join(copy, textOf(link.path)));
				const inside = relative(copy, real);
				assert.ok(inside !== '' && !inside.startsWith('..'), `${inside} is in the folder`);
				const byText = join(copy, dirname(textOf(link.path)), link.bytes.toString());
				assert.is(real, byText, 'no link leads through a link');
			}
			const kept = new Set(links.map(({ path }) => textOf(path)));
			const named = [
				...expected.odd,
				...expected.good.filter(({ kind, path }) => kind === 'l' && !kept.has(textOf(path))),
			].map(({ path }) => path.toString());
			assert.equal([...odd].sort(), named.sort(), 'exactly the entries left out are named');
			files += got.length;
			left += odd.length;
			await share.stop();
			await rm(source, { recursive: true });
			await rm(place, { recursive: true });
		}),
		{ numRuns: RUNS },
	);
	console.log(`${files} entries, ${left} left out`);
});

test.run();
