import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { DigestKind } from '../../protocol/index.ts';

/** A file that grows until it has `length` bytes. */
export interface GrowingFile {
	readonly path: string;
	readonly kind: DigestKind;
	readonly length: number;
}

/** What the worker tells, once. It is told how many bytes are there, as often as they are more. */
export type DigestReport =
	| { readonly digest: Uint8Array }
	| { readonly error: { readonly code: string; readonly message: string } };

const BLOCK = 1024 * 1024;

const { path, kind, length } = workerData as GrowingFile;
const hash = createHash(kind);
const block = Buffer.allocUnsafe(BLOCK);
let file: number | undefined;
let done = 0;

const follow = (bytes: number): DigestReport | undefined => {
	try {
		file ??= openSync(path, 'r');
		while (done < bytes) {
			const read = readSync(file, block, 0, Math.min(BLOCK, bytes - done), done);
			if (read === 0) {
				throw Object.assign(new Error('it became shorter while it was read'), { code: 'ESHORT' });
			}
			hash.update(block.subarray(0, read));
			done += read;
		}
		return done === length ? { digest: hash.digest() } : undefined;
	} catch (error) {
		const { code = '', message } = error as NodeJS.ErrnoException;
		return { error: { code, message } };
	}
};

parentPort?.on('message', (bytes: number) => {
	const report = follow(bytes);
	if (report !== undefined) {
		if (file !== undefined) {
			closeSync(file);
		}
		parentPort?.postMessage(report);
		parentPort?.close();
	}
});
