import { chmodSync, renameSync, writeFileSync } from 'node:fs';

/**
 * Replaces the file at `path` by one that only its owner can read: it has the whole `text`, or is as it was.
 *
 * @throws NodeJS.ErrnoException
 * @internal
 */
export function writePrivate(path: string, text: string): void {
	const fresh = `${path}.${process.pid}`;
	writeFileSync(fresh, text, { mode: 0o600 });
	// One that was left behind keeps its mode.
	chmodSync(fresh, 0o600);
	renameSync(fresh, path);
}
