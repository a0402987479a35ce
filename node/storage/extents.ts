/** A stretch of a content that lies in one file. */
export interface Extent {
	/** Which file. */
	readonly file: number;
	/** Where in that file it starts. */
	readonly at: number;
	/** Where in the asked range it starts. */
	readonly from: number;
	readonly length: number;
}

/**
 * Where the bytes from `offset` on lie, when a content is the files of these lengths one after the
 * other. Empty files hold nothing of it.
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
