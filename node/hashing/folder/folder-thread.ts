import { Worker } from 'node:worker_threads';
import { type ErrorCode, ShoalError } from '../../../protocol/index.ts';
import { fsError } from '../../storage/fs-error.ts';
import { onAbort } from '../../util/abort.ts';
import type { HashOptions } from '../hasher.ts';
import type { FolderReport } from './folder-worker.ts';
import { IdleThreads } from './idle-threads.ts';
import { isQuick, needsLittleMemory } from './is-quick.ts';
import { type FolderJob, runJob } from './run-job.ts';

/** MB that a thread has for new objects. With the default of 48 MB, most of them are garbage. */
const YOUNG = 8;
/** Codes of the ShoalErrors that jobs throw. Codes of errors of Node.js begin with ERR_, too. */
const OWN: ReadonlySet<string> = new Set<ErrorCode>(['ERR_LIMIT', 'ERR_NAME', 'ERR_SEED']);
const idle = new IdleThreads();
const SCRIPT = new URL('./folder-worker.js', import.meta.url);

/**
 * A thread that reads and hashes folders, one job at a time. Jobs that take less time than the
 * start of a thread run on the event loop. The first job that takes longer starts the thread.
 */
export class FolderThread {
	#worker: Worker | undefined;
	/** Whether the thread can be used again: its jobs were small, and none was interrupted. */
	#isReusable = true;
	readonly #options: HashOptions;
	readonly #root: string;

	/** @param root the path of the folder, for messages */
	constructor(root: string, options: HashOptions) {
		this.#root = root;
		this.#options = options;
	}

	/** Runs a job. @returns its result @throws ShoalError ERR_ABORTED, and the errors of the job */
	async run<T>(job: FolderJob): Promise<T> {
		const { signal } = this.#options;
		if (signal?.aborted) {
			throw aborted();
		}
		return isQuick(job) ? this.#runHere<T>(job) : await this.#runInThread<T>(job);
	}

	#runHere<T>(job: FolderJob): T {
		try {
			return runJob(job, this.#options.onBytes ?? (() => {})) as T;
		} catch (error) {
			throw this.#errorOf(error as JobError);
		}
	}

	async #runInThread<T>(job: FolderJob): Promise<T> {
		const { onBytes, signal } = this.#options;
		const worker = this.#started();
		const isSmall = this.#isReusable && needsLittleMemory(job);
		this.#isReusable = false;
		let off = (): void => {};
		try {
			return await new Promise<T>((resolve, reject) => {
				off = onAbort(signal, () => reject(aborted()));
				worker.removeAllListeners();
				worker.on('error', (error) => reject(fsError(error, this.#root)));
				worker.on('message', (report: FolderReport) => {
					if ('bytes' in report) {
						onBytes?.(report.bytes);
					} else if ('error' in report) {
						reject(this.#errorOf(report.error));
					} else {
						this.#isReusable = isSmall;
						resolve(report.result as T);
					}
				});
				worker.postMessage(job);
			});
		} finally {
			off();
		}
	}

	/** Ends the thread, or leaves it to the next one who needs it. */
	async close(): Promise<void> {
		const worker = this.#worker;
		this.#worker = undefined;
		if (worker !== undefined && this.#isReusable) {
			idle.give(worker);
		} else {
			await worker?.terminate();
		}
	}

	#started(): Worker {
		const resourceLimits = { maxYoungGenerationSizeMb: YOUNG };
		this.#worker ??= idle.take() ?? new Worker(SCRIPT, { resourceLimits });
		return this.#worker;
	}

	#errorOf({ code = '', message, path }: JobError): ShoalError {
		return OWN.has(code)
			? new ShoalError(code as ErrorCode, message)
			: fsError({ code, message }, path ?? this.#root);
	}
}

/** An error of a job. A thread can send only these fields of an error. */
type JobError = Pick<NodeJS.ErrnoException, 'code' | 'message' | 'path'>;

function aborted(): ShoalError {
	return new ShoalError('ERR_ABORTED', 'hashing was stopped');
}
