import { createHash } from 'node:crypto';
import type { StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import {
	Bitfield,
	chooseFolderChunkSize,
	Folder,
	type FolderEntry,
	folderLength,
	formatIndex,
	Seed,
} from '../../../protocol/index.ts';

/**
 * A folder whose seed is wrong: `isWrong` makes the digest of a file wrong, `hasPadding: false`
 * makes the padding other bytes than zeros.
 */
export function lyingFolder({ isWrong = false, hasPadding = true }): StoredContent {
	const files: Record<string, Uint8Array> = {
		'a.txt': Buffer.from('right'),
		'b.txt': Buffer.from('wrong'),
		'large.bin': new Uint8Array(64 * 262_144),
	};
	const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
	const entries = Object.entries(files).map(([path, bytes]): FolderEntry => {
		const right = digest(isWrong && path === 'b.txt' ? Buffer.from('other') : bytes);
		return { path, kind: 'f', length: bytes.length, digest: right.toString('hex') };
	});
	const index = formatIndex(entries);
	const chunkSize = chooseFolderChunkSize(entries, index.length);
	const length = folderLength(entries, index.length, chunkSize);
	const content = new Uint8Array(length);
	content.set(index);
	const about = { length, index: index.length, digest: digest(index).toString('hex') };
	const folder = new Folder({ id: '', ...about, layout: { chunkSize } }, index);
	for (const { entry, offset, length: size } of folder.pieces) {
		const bytes = entry && files[entry.path];
		content.set(bytes ?? new Uint8Array(size).fill(hasPadding ? 0 : 1), offset);
	}
	const chunkDigests: Uint8Array[] = [];
	for (let at = 0; at < length; at += chunkSize) {
		chunkDigests.push(digest(content.subarray(at, at + chunkSize)));
	}
	const seed = new Seed({
		...{ name: 'lies', length, index: index.length, kind: 'sha256' },
		digest: digest(index),
		chunkDigests: new Uint8Array(Buffer.concat(chunkDigests)),
	});
	const storage = new MemoryStorage(length);
	storage.bytes.set(content);
	return { seed, folder, have: Bitfield.full(seed.chunks), storage };
}
