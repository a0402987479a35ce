/** A stretch of a content that lies in one file, or in memory. */
export interface Extent {
	/**
	 * Index of the file; {@link ZEROS} if the stretch has no file, because all its bytes are zeros.
	 */
	readonly file: number;
	/** Offset of the first byte of the stretch in that file. */
	readonly at: number;
	/** Offset of the first byte of the stretch in the requested range. */
	readonly from: number;
	readonly length: number;
	/** The bytes of the whole file, if they are in memory. */
	readonly memory?: Uint8Array | undefined;
}

/** The file of an extent that consists of zeros only. */
export const ZEROS = -1;
/** The file of an extent that is not kept: its bytes are not written, and cannot be read. */
export const NOWHERE = -2;

/**
 * The places of `length` bytes from `offset` on, in a content that consists of files with these
 * lengths, one after the other. No byte lies in an empty file.
 */
export function extents(lengths: readonly number[], offset: number, length: number): Extent[] {
	const found: Extent[] = [];
	let start = 0;
	for (const [file, size] of lengths.entries()) {
		const first = Math.max(offset, start);
		const end = Math.min(offset + length, start + size);
		if (first < end) {
			found.push({ file, at: first - start, from: first - offset, length: end - first });
		}
		start += size;
	}
	return found;
}
