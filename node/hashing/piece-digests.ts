import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { DigestKind } from '../../protocol/index.ts';
import { READ_ONLY } from '../storage/regular-file.ts';

/** The job of hashing the pieces of a file, one digest each. */
export interface HashJob {
	readonly path: string;
	readonly kind: DigestKind;
	/** Bytes of a piece; the last piece may be shorter. */
	readonly pieceSize: number;
	/** Maximum number of bytes that are hashed, from the start. @default all */
	readonly most?: number | undefined;
	/** The pieces to hash: the first and the last of each run, ascending. @default all */
	readonly runs?: ReadonlyArray<readonly [first: number, last: number]> | undefined;
	/** A piece that the disk cannot read (EIO) gets a digest of zeros, which no piece has. @default the error is thrown */
	readonly passesUnreadable?: boolean | undefined;
}

const BLOCK = 1024 * 1024;

/**
 * The digests of the pieces of a file, one after the other. It reads and hashes in line, so it is
 * for a worker, or for small files. It reads no byte beyond the length that the file has when it is
 * opened.
 *
 * @param onBytes called with the number of bytes hashed since the last call
 */
export function pieceDigests(job: HashJob, onBytes: (bytes: number) => void): Uint8Array {
	const file = openSync(job.path, READ_ONLY);
	try {
		const size = Math.min(fstatSync(file).size, job.most ?? Number.MAX_SAFE_INTEGER);
		const block = Buffer.allocUnsafe(Math.min(BLOCK, Math.max(1, size)));
		const digests: Buffer[] = [];
		for (const start of startsOf(job, size)) {
			const hash = createHash(job.kind);
			const end = Math.min(start + job.pieceSize, size);
			const isRead = readAll(file, { start, end, block, job }, (bytes) => {
				hash.update(bytes);
				onBytes(bytes.length);
			});
			const digest = hash.digest();
			digests.push(isRead ? digest : digest.fill(0));
		}
		return Buffer.concat(digests);
	} finally {
		closeSync(file);
	}
}

/** Reads the bytes from `start` to `end` of a file, a block at a time. @returns whether all of them could be read */
function readAll(
	file: number,
	{ start, end, block, job }: { start: number; end: number; block: Buffer; job: HashJob },
	onBytes: (bytes: Uint8Array) => void,
): boolean {
	try {
		for (let at = start; at < end; ) {
			const read = readSync(file, block, 0, Math.min(block.length, end - at), at);
			if (read === 0) {
				throw Object.assign(new Error('it became shorter while it was read'), { code: 'ESHORT' });
			}
			onBytes(block.subarray(0, read));
			at += read;
		}
		return true;
	} catch (error) {
		if (job.passesUnreadable && (error as NodeJS.ErrnoException).code === 'EIO') {
			return false;
		}
		throw error;
	}
}

/** The offsets at which the requested pieces start. */
function* startsOf(
	{ runs = [[0, Number.MAX_SAFE_INTEGER]], pieceSize }: HashJob,
	size: number,
): Generator<number> {
	for (const [first, last] of runs) {
		for (let piece = first; piece <= last && piece * pieceSize < size; piece += 1) {
			yield piece * pieceSize;
		}
	}
}
