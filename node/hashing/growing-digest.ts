import { Worker } from 'node:worker_threads';
import type { DigestKind } from '../../protocol/index.ts';
import { ShoalError } from '../../protocol/index.ts';
import { fsError } from '../storage/fs-error.ts';
import { onAbort } from '../util/abort.ts';
import type { DigestReport, GrowingFile } from './digest-worker.ts';

/** The worker is told of growth in steps of so many bytes: each costs as much as hashing a little does. */
const STEP = 4 * 1024 * 1024;

/**
 * The digest of a file that is written from its start on: follows, in a worker, what is there already, so
 * that little is left to do when the file is whole.
 */
export class GrowingDigest {
	readonly #file: GrowingFile;
	#worker: Worker | undefined;
	#told = 0;
	#settle: (error?: ShoalError, digest?: Uint8Array) => void = () => {};
	readonly #digest: Promise<Uint8Array>;

	/** @param length bytes the file has at the end, above 0 */
	constructor(path: string, kind: DigestKind, length: number) {
		this.#file = { path, kind, length };
		this.#digest = new Promise((resolve, reject) => {
			this.#settle = (error, digest) => {
				error === undefined ? resolve(digest as Uint8Array) : reject(error);
				void this.#worker?.terminate();
			};
		});
		// It may fail while nobody waits for it yet.
		this.#digest.catch(() => {});
	}

	/** The first `bytes` of the file are written, and will not change. */
	grow(bytes: number): void {
		if (bytes - this.#told >= STEP) {
			this.#tell(bytes);
		}
	}

	/** It will be needed soon: the worker takes a while to start. */
	prepare(): void {
		this.#worker ??= this.#start();
	}

	/** The file is whole. @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_CHANGED, ERR_ABORTED */
	async finish(signal?: AbortSignal): Promise<Uint8Array> {
		const off = onAbort(signal, () => this.close());
		if (this.#told < this.#file.length) {
			this.#tell(this.#file.length);
		}
		this.#worker?.ref();
		try {
			return await this.#digest;
		} finally {
			off();
		}
	}

	/** Nobody needs the digest any more. Idempotent. */
	close(): void {
		this.#settle(new ShoalError('ERR_ABORTED', 'hashing was stopped'));
	}

	#tell(bytes: number): void {
		this.#told = bytes;
		this.prepare();
		this.#worker?.postMessage(bytes);
	}

	#start(): Worker {
		const { path } = this.#file;
		const worker = new Worker(new URL('./digest-worker.js', import.meta.url), {
			workerData: this.#file,
		});
		// A download that is given up is closed; nothing else waits for the worker.
		worker.unref();
		worker.on('message', (report: DigestReport) => {
			if ('digest' in report) {
				this.#settle(undefined, report.digest);
			} else {
				this.#settle(fsError(report.error, path));
			}
		});
		worker.on('error', (error) => this.#settle(fsError(error, path)));
		return worker;
	}
}
