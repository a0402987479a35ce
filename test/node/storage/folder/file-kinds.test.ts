import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { hasFileKinds } from '../../../../node/storage/folder/file-kinds.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { canMountNtfs, ntfsDisk } from '../../../helpers/fixtures/ntfs-disk.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('file kinds of a folder');

test('a trial finds out whether a folder stores which files are executable, and leaves nothing', async (t) => {
	const folder = await makeFolder(t);
	const file = join(folder, 'file');
	await writeFile(file, '');
	await chmod(file, 0o700);
	const isStored = ((await stat(file)).mode & 0o100) !== 0;
	assert.is(await hasFileKinds(folder), isStored);
	assert.equal(await readdir(folder), ['file']);
	assert.is((await rejects(hasFileKinds(join(folder, 'nothing')))).code, 'ERR_NO_FILE');
});

if (canMountNtfs) {
	test('a mount of NTFS shows all files as executable, or none', async (t) => {
		for (const mask of ['022', '133']) {
			const disk = await ntfsDisk(t, mask);
			assert.is(await hasFileKinds(disk), false, mask);
			assert.not((await readdir(disk)).some((name) => name.endsWith('.tmp')));
		}
	});
}

test.run();
