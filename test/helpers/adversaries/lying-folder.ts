import type { StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield } from '../../../protocol/index.ts';
import { folderOf, lie } from '../fixtures/trees.ts';

/**
 * A folder whose seed is wrong: `isWrong` makes the digest of a file wrong, `hasPadding: false`
 * makes the padding other bytes than zeros.
 */
export function lyingFolder({ isWrong = false, hasPadding = true }): StoredContent {
	const { seed, folder, content } = folderOf(
		{
			'a.txt': 'right',
			'b.txt': isWrong ? lie('wrong') : 'wrong',
			'large.bin': new Uint8Array(64 * 262_144),
		},
		{ name: 'lies', padding: hasPadding ? 0 : 1 },
	);
	const storage = new MemoryStorage(content.length);
	storage.bytes.set(content);
	return { seed, folder, have: Bitfield.full(seed.chunks), storage };
}
