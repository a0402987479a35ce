import { parentPort } from 'node:worker_threads';
import { type FolderJob, runJob } from './run-job.ts';

/** A report of the worker: bytes hashed since the last report, or the result or error of a job. */
export type FolderReport =
	| { readonly bytes: number }
	| { readonly result: unknown }
	| { readonly error: { readonly code: string; readonly message: string; readonly path?: string } };

const REPORT_EVERY = 4 * 1024 * 1024;

const report = (message: FolderReport): void => parentPort?.postMessage(message);
let bytes = 0;

const count = (more: number): void => {
	bytes += more;
	if (bytes >= REPORT_EVERY) {
		report({ bytes });
		bytes = 0;
	}
};

parentPort?.on('message', (job: FolderJob) => {
	try {
		const result = runJob(job, count);
		if (bytes > 0) {
			report({ bytes });
			bytes = 0;
		}
		report({ result });
	} catch (error) {
		const { code = '', message, path } = error as NodeJS.ErrnoException;
		report({ error: { code, message, ...(path !== undefined && { path }) } });
	}
});
