import { createHash, webcrypto } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { DigestKind } from '../../protocol/index.ts';
import { ShoalError } from '../../protocol/index.ts';
import { fsError, onFile } from '../storage/fs-error.ts';
import { onAbort } from '../util/abort.ts';
import type { HashReport } from './hash-worker.ts';
import { type HashJob, pieceDigests } from './piece-digests.ts';

/** Options of the functions that hash files. */
export interface HashOptions {
	/** Called with the number of bytes that were hashed since the last call. @default none */
	readonly onBytes?: ((bytes: number) => void) | undefined;
	/** Stops the hashing, with ERR_ABORTED. @default none */
	readonly signal?: AbortSignal | undefined;
}

/**
 * Bytes of the largest file that is hashed in line: to hash such a file takes less time than to
 * start a worker.
 */
const SMALL = 1024 * 1024;

/**
 * The digest of a chunk. Small chunks are hashed in line, because WebCrypto would block the event
 * loop as long: it copies its input and wipes the copy. For 256 KiB, WebCrypto blocks it for 0.13
 * ms, and hashing in line for 0.14 ms (measured with SHA extensions). Large chunks are hashed by
 * WebCrypto, so that the event loop is free. MD5, in classic seeds only, has no asynchronous form.
 * WebCrypto refuses memory that threads share, in which chunks of other contents are read.
 */
export async function digestChunk(kind: DigestKind, bytes: Uint8Array): Promise<Uint8Array> {
	const isShared = bytes.buffer instanceof SharedArrayBuffer;
	return kind === 'md5' || bytes.length <= SMALL || isShared
		? createHash(kind).update(bytes).digest()
		: new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes));
}

/**
 * The digests of the pieces of a file, one after the other. A file above 1 MiB is hashed in a
 * worker thread, a smaller one in line.
 *
 * @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_ABORTED, or ERR_CHANGED if the file
 *   becomes shorter meanwhile
 */
export async function hashPieces(job: HashJob, options: HashOptions = {}): Promise<Uint8Array> {
	const { size } = await onFile(job.path, () => stat(job.path));
	if (options.signal?.aborted) {
		throw aborted();
	}
	if (size <= SMALL) {
		return await onFile(job.path, async () => pieceDigests(job, options.onBytes ?? (() => {})));
	}
	return await runWorker(job, options);
}

/** The digest of a whole file, computed as by {@link hashPieces}. @throws as {@link hashPieces} */
export async function hashFile(
	path: string,
	kind: DigestKind,
	options: HashOptions = {},
): Promise<Uint8Array> {
	const digest = await hashPieces({ path, kind, pieceSize: Number.MAX_SAFE_INTEGER }, options);
	return digest.length > 0 ? digest : createHash(kind).digest();
}

async function runWorker(job: HashJob, { onBytes, signal }: HashOptions): Promise<Uint8Array> {
	const worker = new Worker(new URL('./hash-worker.js', import.meta.url), { workerData: job });
	let off = (): void => {};
	try {
		return await new Promise((resolve, reject) => {
			off = onAbort(signal, () => reject(aborted()));
			worker.on('message', (report: HashReport) => {
				if ('bytes' in report) {
					onBytes?.(report.bytes);
				} else if ('digests' in report) {
					resolve(report.digests);
				} else {
					reject(fsError(report.error, job.path));
				}
			});
			worker.on('error', (error) => reject(fsError(error, job.path)));
		});
	} finally {
		off();
		await worker.terminate();
	}
}

function aborted(): ShoalError {
	return new ShoalError('ERR_ABORTED', 'hashing was stopped');
}
