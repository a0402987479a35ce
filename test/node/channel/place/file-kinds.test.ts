import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openInPlace } from '../../../../node/channel/place/in-place.ts';
import { openReleases } from '../../../../node/channel/place/releases.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { canMountNtfs, ntfsDisk } from '../../../helpers/fixtures/ntfs-disk.ts';
import { contentOf } from '../../../helpers/fixtures/seeds.ts';
import { x } from '../../../helpers/fixtures/trees.ts';
import { CHANNEL, CHUNK, folder, update } from '../../../helpers/harness/following.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('a followed folder in which every file looks executable');
const LARGE = contentOf(70 * CHUNK);
const findKinds = async (): Promise<boolean> => false;

test('files of people are told from those of the version before', async (t) => {
	const dir = join(await makeFolder(t), 'dir');
	const place = await openInPlace(dir, { channel: CHANNEL, findKinds });
	t.defer(() => place.close());
	await update(place, folder({ a: 'a', b: 'b', large: LARGE, run: x('run') }), 1);
	for (const name of ['a', 'b', 'large', 'run']) {
		await chmod(join(dir, name), 0o755);
	}
	await writeFile(join(dir, 'b'), 'mine');
	const { kept, fetched } = await update(place, folder({ a: 'A', b: 'B', large: LARGE }), 2);
	assert.equal(kept, ['b.mine-2']);
	assert.is(fetched, 1);
	assert.equal((await readdir(dir)).sort(), ['.shoal', 'a', 'b', 'b.mine-2', 'large']);
});

test('an old release is removed, not taken for one that people have changed', async (t) => {
	const dir = join(await makeFolder(t), 'dir');
	const place = await openReleases(dir, { channel: CHANNEL, keep: 1, findKinds });
	t.defer(() => place.close());
	await update(place, folder({ a: 'a', seq: '1' }), 1);
	for (const name of ['a', 'seq']) {
		await chmod(join(dir, 'current', name), 0o755);
	}
	assert.equal((await update(place, folder({ a: 'a', seq: '2' }), 2)).kept, []);
	assert.equal(await readdir(join(dir, 'releases')), ['2']);
});

if (canMountNtfs) {
	test('on a mount of NTFS, the next version replaces the one before, and both are shared', async (t) => {
		const dir = await ntfsDisk(t, '022');
		const place = await openInPlace(dir, { channel: CHANNEL });
		t.defer(() => place.close());
		for (const [seq, end] of ['1', '2'].entries()) {
			const { kept } = await update(place, folder({ a: end, large: LARGE, run: x(end) }), seq);
			assert.equal(kept, []);
			const content = await place.content();
			assert.ok(content);
			assert.is(content.have.count, content.seed.chunks);
			await content.storage.close();
		}
	});
}

test.run();
