import * as assert from 'uvu/assert';
import { FolderCache } from '../../../node/streaming/folder-cache.ts';
import type { Folder, Seed } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('FolderCache');

/** The fields of a folder that the cache reads. */
function folderOf(id: string, indexBytes: number, chunks = 0) {
	const folder = { index: new Uint8Array(indexBytes) } as Folder;
	return { seed: { id, chunks } as Seed, folder };
}

test('keeps the folders that were used last, up to a limit for the bytes of indexes and digests', () => {
	const cache = new FolderCache(100);
	const [a, b, c] = [folderOf('a', 40), folderOf('b', 8, 1), folderOf('c', 30)] as const;
	cache.add(a);
	cache.add(b);
	assert.is(cache.get('a'), a);
	cache.add(c);
	assert.is(cache.get('b'), undefined, 'b was least recently used');
	assert.equal([cache.get('a'), cache.get('c')], [a, c]);
	cache.add(folderOf('d', 30));
	assert.ok(cache.get('a') && cache.get('c') && cache.get('d'), 'these have 100 bytes');
});

test('keeps the last folder, however large it is, and counts a folder that is added twice only once', () => {
	const cache = new FolderCache(100);
	const large = folderOf('large', 1_000);
	cache.add(folderOf('small', 10));
	cache.add(large);
	assert.equal([cache.get('small'), cache.get('large')], [undefined, large]);
	cache.add(folderOf('small', 10));
	assert.is(cache.get('large'), undefined);
	for (let times = 0; times < 20; times += 1) {
		cache.add(folderOf('small', 10));
	}
	cache.add(folderOf('other', 90));
	assert.ok(cache.get('small') && cache.get('other'));
});

test.run();
