import type { BigIntStats } from 'node:fs';
import type { FolderEntry } from '../../../protocol/index.ts';

/**
 * Whether what is at the path of an entry has the kind and the length of the entry. Whether a file is
 * executable does not count.
 */
export function isOfKind({ kind, length }: FolderEntry, stats: BigIntStats): boolean {
	switch (kind) {
		case 'd':
			return stats.isDirectory();
		case 'l':
			return stats.isSymbolicLink();
		default:
			return stats.isFile() && stats.size === BigInt(length);
	}
}
