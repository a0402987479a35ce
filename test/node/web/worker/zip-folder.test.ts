import * as assert from 'uvu/assert';
import type { DownloadedFolder } from '../../../../node/web/worker/downloaded-folder.ts';
import { zipFolder } from '../../../../node/web/worker/zip-folder.ts';
import { type FolderEntry, isFile } from '../../../../protocol/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { readZip } from '../../../helpers/harness/zip-files.ts';

const test = suite('the zip file of a folder in a browser');

/** Returns a folder in which the content of each file is its path. */
function folderOf(entries: ReadonlyArray<Pick<FolderEntry, 'path' | 'kind'>>): DownloadedFolder {
	const all = entries.map((entry) => ({ ...entry, length: entry.path.length, digest: '' }));
	const files = async function* () {
		for (const entry of all.filter(isFile)) {
			yield { entry, content: Buffer.from(entry.path) };
		}
	};
	return { entries: all, files } as unknown as DownloadedFolder;
}

async function zipOf(folder: DownloadedFolder): Promise<Buffer> {
	return Buffer.from(await new Response(await zipFolder(folder, 'top')).arrayBuffer());
}

test('contains the files and empty folders, and no links', async () => {
	const folder = folderOf([
		{ path: 'a', kind: 'f' },
		{ path: 'empty', kind: 'd' },
		{ path: 'link', kind: 'l' },
		{ path: 'sub/run', kind: 'x' },
	]);
	const entries = readZip(await zipOf(folder)).map(({ name, bytes, mode }) => {
		return [name, bytes.toString(), mode.toString(8)];
	});
	assert.equal(entries, [
		['top/a', 'a', '100644'],
		['top/empty/', '', '40775'],
		['top/sub/run', 'sub/run', '100755'],
	]);
});

test('contains the folder itself if there are neither files nor empty folders', async () => {
	for (const folder of [folderOf([]), folderOf([{ path: 'link', kind: 'l' }])]) {
		const names = readZip(await zipOf(folder)).map(({ name }) => name);
		assert.equal(names, ['top/']);
	}
});

test('has Zip64 records if there are more than 65,534 files', async () => {
	const entries = Array.from({ length: 65_600 }, (_, number) => {
		return { path: `${number}`, kind: 'd' as const };
	});
	const zip = await zipOf(folderOf(entries));
	assert.is(readZip(zip).length, entries.length);
	assert.ok(zip.includes('PK\x06\x06'));
});

test.run();
