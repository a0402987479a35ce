import { setImmediate } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { makeFolder } from '../../../../node/hashing/folder/make-folder.ts';
import { FolderStorage } from '../../../../node/storage/folder/folder-storage.ts';
import { openBelow } from '../../../helpers/fixtures/folder.ts';
import { makeTree } from '../../../helpers/fixtures/trees.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('a folder of many small files');
const FILES = 1_500;

test('one read has at most 100 files open at a time, in this thread and in the thread pool', async (t) => {
	const leaves = Array.from({ length: FILES }, (_, number) => [`${number}`, `${number}`]);
	const root = await makeTree(t, Object.fromEntries(leaves));
	const { location, folder, stamps, seed } = await makeFolder(root);
	const storage = new FolderStorage(location, folder, stamps);
	t.defer(() => storage.close());
	const { index } = folder;
	const expected = folder.entries.map(({ path }) => path).join('');
	// If the first read is slow, the second read uses the thread pool.
	for (const round of [1, 2]) {
		const bytes = Buffer.alloc(seed.length - index.length);
		let most = 0;
		let isDone = false;
		const reading = storage.read(index.length, bytes).finally(() => {
			isDone = true;
		});
		while (!isDone) {
			most = Math.max(most, (await openBelow(root)).length);
			await setImmediate();
		}
		await reading;
		assert.is(bytes.toString(), expected);
		assert.ok(most <= 100, `${most} files open in read ${round}`);
	}
});

test.run();
