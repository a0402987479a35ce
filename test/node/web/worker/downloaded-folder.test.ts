import { File } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import * as assert from 'uvu/assert';
import { DownloadedFolder } from '../../../../node/web/worker/downloaded-folder.ts';
import { makeFolder } from '../../../../node/web/worker/make-folder.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('a folder that was downloaded');
const MIB = 1024 * 1024;
const SIZES = {
	'a-empty': 0,
	'b-small': 10,
	'c-empty': 0,
	'd-large': 2 * MIB,
	'e-empty': 0,
	'f-small': 20,
	'g-small': MIB,
	'h-small': MIB,
	'i-small': MIB,
	'j-small': MIB,
	'k-large': MIB + 1,
	'l-empty': 0,
};
const contents = Object.entries(SIZES).map(([path, size]) => [path, randomBytes(size)] as const);

async function bytesOf(content: Blob | Uint8Array): Promise<Buffer> {
	return content instanceof Blob ? Buffer.from(await content.arrayBuffer()) : Buffer.from(content);
}

test('all files, or the wanted ones, are returned in the order of the index, each with its bytes', async () => {
	const files = contents.map(([path, bytes]) => [path, new File([bytes], 'any')] as const);
	const made = await makeFolder({ name: 'folder', files, emptyFolders: ['z-none'] });
	const paths = Object.keys(SIZES);
	for (const wanted of [
		undefined,
		new Set(paths.filter((_, index) => index % 2 === 1)),
		new Set(['a-empty', 'g-small', 'h-small', 'l-empty']),
		new Set<string>(),
	]) {
		const folder = new DownloadedFolder(made, wanted);
		const expected = contents.filter(([path]) => wanted?.has(path) ?? true);
		const found: string[] = [];
		for await (const { entry, content } of folder.files()) {
			found.push(entry.path);
			const bytes = Object.fromEntries(contents)[entry.path] as Buffer;
			assert.is(Buffer.compare(await bytesOf(content), bytes), 0, entry.path);
			assert.is(Buffer.compare(await bytesOf(folder.file(entry.path)), bytes), 0, entry.path);
		}
		assert.equal(
			found,
			expected.map(([path]) => path),
		);
	}
});

test('files that do not exist or were not wanted are not found', async () => {
	const made = await makeFolder({ name: 'folder', files: [['a', new File(['a'], 'any')]] });
	throwsCode('ERR_NOT_FOUND', () => new DownloadedFolder(made, undefined).file('b'));
	throwsCode('ERR_NOT_FOUND', () => new DownloadedFolder(made, new Set()).file('a'));
});

test.run();
