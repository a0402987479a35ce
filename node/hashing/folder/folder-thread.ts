import { Worker } from 'node:worker_threads';
import { type ErrorCode, ShoalError } from '../../../protocol/index.ts';
import { fsError } from '../../storage/fs-error.ts';
import { onAbort } from '../../util/abort.ts';
import type { HashOptions } from '../hasher.ts';
import type { FolderJob, FolderReport } from './folder-worker.ts';

/** MB for new objects. With the default of 48, most of the memory of a thread is garbage. */
const YOUNG = 8;
/** Codes of the ShoalErrors of jobs. Node.js has codes of its own that begin with ERR_, too. */
const OWN: ReadonlySet<string> = new Set<ErrorCode>(['ERR_LIMIT', 'ERR_NAME', 'ERR_SEED']);
const SCRIPT = new URL('./folder-worker.js', import.meta.url);

/** A thread that reads and hashes folders, one job at a time. */
export class FolderThread {
	readonly #worker = new Worker(SCRIPT, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG } });
	readonly #options: HashOptions;
	readonly #root: string;

	/** @param root the path of the folder, for messages */
	constructor(root: string, options: HashOptions) {
		this.#root = root;
		this.#options = options;
	}

	/** Runs a job. @returns its result @throws ShoalError ERR_ABORTED, and the errors of the job */
	async run<T>(job: FolderJob): Promise<T> {
		const { onBytes, signal } = this.#options;
		let off = (): void => {};
		try {
			return await new Promise<T>((resolve, reject) => {
				off = onAbort(signal, () => reject(new ShoalError('ERR_ABORTED', 'hashing was stopped')));
				this.#worker.removeAllListeners();
				this.#worker.on('error', (error) => reject(fsError(error, this.#root)));
				this.#worker.on('message', (report: FolderReport) => {
					if ('bytes' in report) {
						onBytes?.(report.bytes);
					} else if ('error' in report) {
						reject(this.#errorOf(report.error));
					} else {
						resolve(report.result as T);
					}
				});
				this.#worker.postMessage(job);
			});
		} finally {
			off();
		}
	}

	async close(): Promise<void> {
		await this.#worker.terminate();
	}

	#errorOf({
		code,
		message,
		path,
	}: Extract<FolderReport, { error: unknown }>['error']): ShoalError {
		return OWN.has(code)
			? new ShoalError(code as ErrorCode, message)
			: fsError({ code, message }, path ?? this.#root);
	}
}
