import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;
/** Windows cannot open a folder as a file, and some file systems cannot sync one. */
const NO_SYNC = ['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'];

/**
 * Replaces the file at `path` with one that contains `text` and that only its owner can read. The
 * file is never half-written: it has either its old content or the whole `text`, also after a loss
 * of power. When this returns, it is on the disk.
 *
 * @throws NodeJS.ErrnoException
 * @internal
 */
export function writePrivate(path: string, text: string): void {
	const fresh = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
	try {
		writeSynced(fresh, text);
		renameSync(fresh, path);
	} catch (error) {
		remove(fresh);
		throw error;
	}
	syncFolder(dirname(path));
}

function writeSynced(path: string, text: string): void {
	const file = openSync(path, 'wx', OWNER_ONLY);
	try {
		writeFileSync(file, text);
		fsyncSync(file);
	} finally {
		closeSync(file);
	}
}

/** Syncs the names in a folder, where that is possible. */
function syncFolder(path: string): void {
	try {
		const folder = openSync(path, 'r');
		try {
			fsyncSync(folder);
		} finally {
			closeSync(folder);
		}
	} catch (error) {
		if (!NO_SYNC.includes((error as NodeJS.ErrnoException).code ?? '')) {
			throw error;
		}
	}
}

function remove(path: string): void {
	try {
		rmSync(path, { force: true });
	} catch {
		// The error of the write says more.
	}
}
