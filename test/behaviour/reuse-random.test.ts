import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Seed } from '../../protocol/index.ts';
import {
	bytesOf,
	CHUNK,
	changedBytes,
	type Edit,
	edited,
	type Files,
	filesOf,
	type RandomFile,
	randomEdits,
	randomFiles,
	randomTrees,
} from '../helpers/fixtures/random-edits.ts';
import { seedOf } from '../helpers/fixtures/seeds.ts';
import { folderOf, linesIn, linesOf, plant } from '../helpers/fixtures/trees.ts';
import { type Reusing, shareHeld, startReusing } from '../helpers/harness/reusing.ts';
import { suite } from '../helpers/harness/suite.ts';

// Random versions of files and folders are downloaded while other versions are there already: at
// the target, elsewhere, or both. The result is always right, and never more bytes are fetched than
// without the other versions.

const RUNS = Number(process.env.SHOAL_EDITS ?? 6);
const test = suite('random edits', { timeout: 120_000 + 5_000 * RUNS });

/** Removes what a run has made, so that the next one begins without it. */
async function clear({ node, seeder, root }: Reusing): Promise<void> {
	for (const each of [node, seeder]) {
		const { contents } = (each as never as { context: { contents: Contents } }).context;
		for (const content of contents.all()) {
			contents.remove(content);
		}
	}
	await rm(root, { recursive: true });
	await mkdir(root);
}

interface Contents {
	all(): object[];
	remove(content: object): void;
}

/** Where earlier versions are when a file is downloaded. */
const PLACES = {
	target: { isAtTarget: true, like: [] },
	elsewhere: { isAtTarget: false, like: ['like/deep/one'] },
	both: { isAtTarget: true, like: ['like/two'] },
	'in a folder': { isAtTarget: false, like: ['like'] },
};
const places = fc.constantFrom(...(Object.keys(PLACES) as Array<keyof typeof PLACES>));

test('a downloaded file has the right bytes, and only chunks that are nowhere else are fetched', async (t) => {
	const rig = await startReusing(t);
	const output = rig.at('file.bin');
	let replaced = 0;
	const check = async (file: RandomFile, one: Edit[], two: Edit[], place: keyof typeof PLACES) => {
		const first = bytesOf(...file);
		const [next, other] = [one.reduce(changedBytes, first), two.reduce(changedBytes, first)];
		const { isAtTarget, like } = PLACES[place];
		if (isAtTarget) {
			await writeFile(output, first);
		}
		await plant(rig.at('like'), { 'deep/one': first, two: other });
		const seed = seedOf(next, { chunkSize: CHUNK });
		await shareHeld(rig.node, rig.seeder, { seed, content: next });
		try {
			const options = { output, like: like.map((path) => rig.at(path)) };
			const { fetched, length } = await rig.get(seed, options);
			assert.ok((await readFile(output)).equals(next), 'the right bytes');
			assert.ok(fetched <= length, `${fetched} of ${length} bytes were fetched`);
			if (seed.layout.chunkSize === CHUNK) {
				// Bytes of an older version beyond the end of the new one are not read.
				const older = isAtTarget ? [first.subarray(0, next.length)] : [];
				const likes = {
					target: [],
					elsewhere: [first],
					both: [other],
					'in a folder': [first, other],
				};
				const most = CHUNK * newChunks(next, [...older, ...likes[place]]);
				assert.ok(fetched <= most, `${fetched} bytes were fetched, ${most} are new`);
			}
			replaced += 1;
		} catch (error) {
			// A file that has no chunk of the content is not replaced.
			assert.is((error as { code?: string }).code, 'ERR_EXISTS', `${error}`);
			assert.ok(isAtTarget);
		}
		await clear(rig);
	};
	const property = fc.asyncProperty(randomFiles, randomEdits, randomEdits, places, check);
	await fc.assert(property, { numRuns: 4 * RUNS });
	assert.ok(replaced > RUNS, `${replaced} were replaced`);
});

/** The number of chunks of a content that are in none of the `known` contents. */
function newChunks(bytes: Uint8Array, known: readonly Uint8Array[]): number {
	const there = new Set([...known, new Uint8Array(bytes.length)].flatMap(chunksOf));
	return new Set(chunksOf(bytes).filter((chunk) => !there.has(chunk))).size;
}

/** The chunks of a content, as texts. */
function chunksOf(bytes: Uint8Array): string[] {
	const count = Math.ceil(bytes.length / CHUNK);
	return Array.from({ length: count }, (_, chunk) =>
		Buffer.from(bytes.subarray(chunk * CHUNK, (chunk + 1) * CHUNK)).toString('latin1'),
	);
}

test('a downloaded folder has the right bytes, and not more bytes are fetched than it has', async (t) => {
	const rig = await startReusing(t);
	const output = `${rig.at('place')}/`;
	const share = async (files: Files): Promise<Seed> => {
		const made = folderOf(Object.fromEntries(files), { chunkSize: CHUNK });
		return await shareHeld(rig.node, rig.seeder, made);
	};
	const check = async (
		tree: Array<RandomFile | null>,
		one: Edit[],
		two: Edit[],
		place: keyof typeof PLACES,
	) => {
		const first = filesOf(tree);
		const [next, other] = [edited(first, one), edited(first, two)];
		const { isAtTarget } = PLACES[place];
		if (isAtTarget) {
			await rig.get(await share(first), { output });
		}
		const like = place === 'target' ? [] : [await plant(rig.at('like'), Object.fromEntries(other))];
		const seed = await share(next);
		const { path, fetched } = await rig.get(seed, { output, like });
		assert.equal(await linesIn(path), linesOf(Object.fromEntries(next)));
		assert.ok(fetched <= seed.length, `${fetched} of ${seed.length} bytes`);
		if (one.length === 0 && (two.length === 0 || isAtTarget)) {
			const { chunkSize } = seed.layout;
			const most = Math.ceil((seed.index ?? 0) / chunkSize) * chunkSize;
			assert.ok(fetched <= most, `${fetched} bytes of a folder that has not changed`);
		}
		await clear(rig);
	};
	const property = fc.asyncProperty(randomTrees, randomEdits, randomEdits, places, check);
	await fc.assert(property, { numRuns: RUNS });
});

test.run();
