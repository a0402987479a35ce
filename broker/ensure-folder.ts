import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes the folder at `path` and the missing folders above it, one level after the other.
 * `mkdir` with `recursive` of Node.js never returns where a folder that exists answers ENOENT: below
 * /proc, and in a working folder that was removed.
 *
 * @param mode the permissions of the folders that are made
 * @throws NodeJS.ErrnoException
 * @internal
 */
export function ensureFolder(path: string, mode = 0o777): void {
	const levels = [path];
	let above = dirname(path);
	while (!existsSync(above) && above !== levels[0]) {
		levels.unshift(above);
		above = dirname(above);
	}
	for (const level of levels) {
		try {
			mkdirSync(level, { mode });
		} catch (error) {
			if (!isFolder(level)) {
				throw error;
			}
		}
	}
}

function isFolder(path: string): boolean {
	try {
		return statSync(path).isDirectory();
	} catch {
		return false;
	}
}
