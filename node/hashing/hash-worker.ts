import { parentPort, workerData } from 'node:worker_threads';
import { type HashJob, pieceDigests } from './piece-digests.ts';

/**
 * Messages of the worker: the bytes hashed since the last message; at the end, the digests or an
 * error.
 */
export type HashReport =
	| { readonly bytes: number }
	| { readonly digests: Uint8Array }
	| { readonly error: { readonly code: string; readonly message: string } };

const REPORT_EVERY = 16 * 1024 * 1024;

const report = (message: HashReport): void => parentPort?.postMessage(message);
let bytes = 0;

try {
	const digests = pieceDigests(workerData as HashJob, (more) => {
		bytes += more;
		if (bytes >= REPORT_EVERY) {
			report({ bytes });
			bytes = 0;
		}
	});
	report({ bytes });
	report({ digests });
} catch (error) {
	const { code = '', message } = error as NodeJS.ErrnoException;
	report({ error: { code, message } });
}
