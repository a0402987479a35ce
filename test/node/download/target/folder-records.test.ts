import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FolderRecords } from '../../../../node/download/target/folder-records.ts';
import type { RecordedFolder } from '../../../../node/hashing/folder/compare-folder.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('FolderRecords');
const place = { path: '/some/folder', identity: '1-2' };
const folder: RecordedFolder = {
	seed: 'a'.repeat(64),
	index: Buffer.from('shoal-folder 1\n\nwith line feeds\n'),
	stamps: BigUint64Array.of(1n, 2n, 3n, 2n ** 64n - 1n, 0n),
};

async function kept(t: Scope) {
	const path = join(await makeFolder(t), 'state', 'folders');
	const records = new FolderRecords(path);
	await records.keep(place, folder);
	const [name = ''] = await readdir(path);
	return { path, records, file: join(path, name) };
}

const plain = (found: RecordedFolder | undefined) =>
	found && { ...found, index: Buffer.from(found.index).toString(), stamps: [...found.stamps] };

test('a record is found by path and identity, unchanged, and only its owner can read it', async (t) => {
	const { path, records, file } = await kept(t);
	assert.equal(plain(await records.find(place.path, place.identity)), plain(folder));
	assert.equal(
		plain(await new FolderRecords(path).find(place.path, place.identity)),
		plain(folder),
	);
	assert.is((await stat(file)).mode & 0o777, 0o600);
	assert.is((await stat(path)).mode & 0o777, 0o700);
});

test('another path, or another folder at the path, has no record', async (t) => {
	const { records } = await kept(t);
	assert.is(await records.find('/some/other', place.identity), undefined);
	assert.is(await records.find(place.path, '1-3'), undefined);
	assert.is(await records.find(place.path, '1'), undefined);
});

test('a record with any byte changed, or cut at any position, is not used', async (t) => {
	const { records, file } = await kept(t);
	const bytes = await readFile(file);
	for (const offset of bytes.keys()) {
		const flipped = Buffer.from(bytes);
		flipped[offset] = (flipped[offset] as number) ^ 1;
		for (const damaged of [flipped, bytes.subarray(0, offset)]) {
			await writeFile(file, damaged);
			assert.is(await records.find(place.path, place.identity), undefined, `byte ${offset}`);
		}
	}
	await writeFile(file, bytes);
	assert.ok(await records.find(place.path, place.identity));
});

test('a record is not used if it belongs to another folder', async (t) => {
	const { records, file } = await kept(t);
	const bytes = await readFile(file);
	await records.keep({ ...place, identity: '1-3' }, folder, place.identity);
	await writeFile(file.replace('1-2', '1-3'), bytes);
	assert.is(await records.find(place.path, '1-3'), undefined);
	assert.ok(await records.find(place.path, '1-2'));
});

test('the record of the present folder stays until it is forgotten; older records are removed', async (t) => {
	const { path, records } = await kept(t);
	await records.keep({ path: '/another', identity: '1-2' }, folder);
	await records.keep({ ...place, identity: '1-3' }, folder, '1-2');
	assert.ok(await records.find(place.path, '1-2'));
	assert.ok(await records.find(place.path, '1-3'));
	await records.keep({ ...place, identity: '1-4' }, folder, '1-3');
	assert.is(await records.find(place.path, '1-2'), undefined);
	await records.forget({ ...place, identity: '1-3' });
	assert.is(await records.find(place.path, '1-3'), undefined);
	await records.keep({ ...place, identity: '1-5' }, folder);
	assert.ok(await records.find('/another', '1-2'));
	assert.is((await readdir(path)).length, 2);
});

test('if a record cannot be written, there is none, and no error', async (t) => {
	const root = await makeFolder(t);
	await writeFile(join(root, 'file'), '');
	const below = new FolderRecords(join(root, 'file', 'folders'));
	await below.keep(place, folder);
	await below.forget(place);
	assert.is(await below.find(place.path, place.identity), undefined);
	await mkdir(join(root, 'folders'));
	await chmod(join(root, 'folders'), 0o500);
	await new FolderRecords(join(root, 'folders')).forget(place);
});

test.run();
