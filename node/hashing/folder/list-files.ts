import { createHash } from 'node:crypto';
import {
	closeSync,
	type Dirent,
	fstatSync,
	lstatSync,
	openSync,
	readdirSync,
	readSync,
	statfsSync,
} from 'node:fs';
import { join } from 'node:path';
import { MAX_LENGTH } from '../../../protocol/index.ts';
import { READ_FILE } from '../../storage/folder/folder-place.ts';
import { isVirtualType } from '../../storage/regular-file.ts';
import { pieceDigests } from '../piece-digests.ts';

/** A regular file of a folder. */
export interface ListedFile {
	/** Path below the folder. */
	readonly path: string;
	/** Bytes. */
	readonly length: number;
}

/** Maximum number of files that are listed. */
const MOST_FILES = 1_000_000;
const block = Buffer.allocUnsafeSlow(1024 * 1024);

/**
 * The regular files below `root`. Files that are longer than a content can be are left out, as are
 * folders that cannot be read, and file systems such as /proc, whose files the system generates.
 * Symbolic links are not followed. The calls are synchronous, so call this function in a worker.
 */
export function listFiles(root: string): ListedFile[] {
	const files: ListedFile[] = [];
	const folders = [''];
	for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
		for (const entry of entriesOf(join(root, folder))) {
			const path = join(folder, entry.name);
			if (entry.isDirectory()) {
				folders.push(path);
			} else if (entry.isFile() && files.length < MOST_FILES) {
				const length = lengthOf(join(root, path));
				files.push(...(length === undefined ? [] : [{ path, length }]));
			}
		}
	}
	return files;
}

/**
 * The SHA-256 of each file, one after the other; zeros for a file that cannot be read.
 *
 * @param onBytes called with the number of bytes hashed since the last call
 */
export function digestsOfFiles(
	paths: readonly string[],
	onBytes: (bytes: number) => void,
): Uint8Array {
	const digests = Buffer.alloc(paths.length * 32);
	for (const [at, path] of paths.entries()) {
		try {
			digestOfFile(path, onBytes).copy(digests, at * 32);
		} catch {
			// The digest of a file that cannot be read stays zeros.
		}
	}
	return digests;
}

/**
 * For each file, the SHA-256 digests of its pieces, one after the other. Empty for a file that
 * cannot be read; zeros for a piece that the disk cannot read.
 *
 * @param onBytes called with the number of bytes hashed since the last call
 */
export function piecesOfFiles(
	paths: readonly string[],
	pieceSize: number,
	onBytes: (bytes: number) => void,
): Uint8Array[] {
	return paths.map((path) => {
		try {
			return pieceDigests({ path, kind: 'sha256', pieceSize, passesUnreadable: true }, onBytes);
		} catch {
			return new Uint8Array();
		}
	});
}

function digestOfFile(path: string, onBytes: (bytes: number) => void): Buffer {
	const file = openSync(path, READ_FILE);
	try {
		const hash = createHash('sha256');
		// Bytes that are appended meanwhile are not hashed: the file might grow without end.
		let left = fstatSync(file).size;
		for (let read = 1; left > 0 && read > 0; left -= read) {
			read = readSync(file, block, 0, Math.min(block.length, left), null);
			hash.update(block.subarray(0, read));
			onBytes(read);
		}
		return hash.digest();
	} finally {
		closeSync(file);
	}
}

function entriesOf(folder: string): Dirent[] {
	try {
		return isVirtualType(statfsSync(folder).type)
			? []
			: readdirSync(folder, { withFileTypes: true });
	} catch {
		return [];
	}
}

function lengthOf(path: string): number | undefined {
	try {
		const { size } = lstatSync(path);
		return size <= MAX_LENGTH ? size : undefined;
	} catch {
		return undefined;
	}
}
