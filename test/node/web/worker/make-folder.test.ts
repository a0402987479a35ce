import { File } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { makeFolder as makeOnDisk } from '../../../../node/hashing/folder/make-folder.ts';
import { makeFolder } from '../../../../node/web/worker/make-folder.ts';
import { makeFolder as temporaryFolder } from '../../../helpers/fixtures/folder.ts';
import { plant } from '../../../helpers/fixtures/trees.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the seed of a folder in a browser');

const part = fc.stringMatching(/^[a-z\u00e9 ]{1,3}$/u);
const tree = fc.dictionary(
	fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
	fc.oneof(fc.nat(50), fc.nat(300_000)),
	{ maxKeys: 8 },
);

/** Whether no path lies below another path. */
function isPossible(paths: readonly string[]): boolean {
	return paths.every((path) => paths.every((other) => !other.startsWith(`${path}/`)));
}

test('the seed equals that of the same files on a disk, and the content can be read', async (t) => {
	const root = await temporaryFolder(t);
	let round = 0;
	await fc.assert(
		fc.asyncProperty(
			tree.filter((each) => isPossible(Object.keys(each))),
			async (sizes) => {
				round += 1;
				const contents = Object.entries(sizes).map(
					([path, size]) => [path, randomBytes(size)] as const,
				);
				const path = join(root, `folder ${round}`);
				await plant(path, Object.fromEntries(contents));
				const files = contents.map(([at, bytes]) => [at, new File([bytes], 'any')] as const);
				const made = await makeFolder({ name: `folder ${round}`, files });
				const { seed, folder } = await makeOnDisk(path);
				assert.is(made.seed.id, seed.id);
				assert.equal(made.folder.index, new Uint8Array(folder.index));
				for (const [at, bytes] of contents) {
					const { offset } = made.folder.find(at) as { offset: number };
					const read = new Uint8Array(bytes.length);
					await made.storage.read(offset, read);
					assert.ok(Buffer.compare(read, bytes) === 0, at);
					const slice = await made.storage.slice(offset, bytes.length).arrayBuffer();
					assert.ok(Buffer.compare(new Uint8Array(slice), bytes) === 0, at);
				}
			},
		),
		{ numRuns: 8 },
	);
});

test('an empty folder has a seed as well', async () => {
	const { seed, folder } = await makeFolder({ name: 'empty', files: [] });
	assert.is(seed.length, 15);
	assert.equal(folder.entries, []);
});

test.run();
