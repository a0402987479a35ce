import type { FolderEntry } from './entry.ts';
import { comparePaths } from './entry-path.ts';

/**
 * The first position for which `isThere` holds, by binary search; `count` if there is none.
 *
 * @param count number of positions
 * @param isThere a test that fails up to some position, and holds for all positions after it
 */
export function firstPosition(count: number, isThere: (position: number) => boolean): number {
	let low = 0;
	let high = count;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (isThere(middle)) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

/**
 * The position of the first entry whose path is `path` or comes after it.
 *
 * @param entries in the order of the index
 */
export function firstFrom(entries: readonly FolderEntry[], path: string): number {
	return firstPosition(
		entries.length,
		(at) => comparePaths((entries[at] as FolderEntry).path, path) >= 0,
	);
}
