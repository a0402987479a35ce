import { createHash } from 'node:crypto';
import type { EntryStamps } from '../../storage/folder/entry-stamps.ts';

const LF = 0x0a;
const DIGITS = 64;
const ZERO = 0x30;

/**
 * The state of a folder in one line: a digest of the paths, kinds, lengths and stamps of its
 * entries. While this state is the same, the bytes of all entries are the same.
 *
 * @param index the index of the folder or of its draft; the digests in the index are ignored
 * @param stamps the stamps of the entries, in the order of the index
 * @param names the paths on the disk that differ from those in the index, by the path in the index
 */
export function folderStamp(
	index: Uint8Array,
	stamps: EntryStamps,
	names: ReadonlyMap<string, string> = new Map(),
): string {
	const { buffer, byteOffset, byteLength } = stamps.numbers;
	return createHash('sha256')
		.update(withoutDigests(index))
		.update(new Uint8Array(buffer, byteOffset, byteLength))
		.update(JSON.stringify([...names]))
		.digest('hex');
}

/** A copy of an index with zeros in place of the digest at the start of each line after the first. */
function withoutDigests(index: Uint8Array): Uint8Array {
	const copy = Uint8Array.from(index);
	for (let at = copy.indexOf(LF) + 1; at > 0 && at < copy.length; at = copy.indexOf(LF, at) + 1) {
		copy.fill(ZERO, at, at + DIGITS);
	}
	return copy;
}
