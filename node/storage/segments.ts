/** The bytes from `from` on of `segments` that follow each other, at most `length` of them. */
export function stretch(
	segments: readonly Uint8Array[],
	from: number,
	length: number,
): Uint8Array[] {
	const found: Uint8Array[] = [];
	let start = 0;
	for (const segment of segments) {
		const first = Math.max(from - start, 0);
		const end = Math.min(from + length - start, segment.length);
		if (first < end) {
			found.push(segment.subarray(first, end));
		}
		start += segment.length;
	}
	return found;
}
