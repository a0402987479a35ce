import { chmodSync, renameSync, writeFileSync } from 'node:fs';

/**
 * Replaces the file at `path` with one that contains `text` and that only its owner can read. The
 * file is never half-written: it has either its old content or the whole `text`.
 *
 * @throws NodeJS.ErrnoException
 * @internal
 */
export function writePrivate(path: string, text: string): void {
	const fresh = `${path}.${process.pid}`;
	writeFileSync(fresh, text, { mode: 0o600 });
	// A temporary file that an earlier process left behind keeps its mode.
	chmodSync(fresh, 0o600);
	renameSync(fresh, path);
}
