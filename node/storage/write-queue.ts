import type { FileHandle } from 'node:fs/promises';

interface Pending {
	readonly at: number;
	readonly bytes: Uint8Array;
	readonly settle: (error?: unknown) => void;
}

/** Writes under way at a time. The system takes one at a time to a file; another waits at its door. */
const AT_ONCE = 2;
/** Bytes of a write that was put together of several. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Buffers of one write: below IOV_MAX everywhere. */
const MOST_BUFFERS = 256;

/**
 * Writes to one file by position. What waits and is consecutive goes in one write: handing over to the
 * thread pool and back costs more than writing 256 KiB does.
 */
export class WriteQueue {
	readonly #handle: FileHandle;
	/** By position, in the order they came. */
	readonly #pending = new Map<number, Pending>();
	#writing = 0;

	constructor(handle: FileHandle) {
		this.#handle = handle;
	}

	/** Writes `bytes` at position `at`, which nobody else writes meanwhile. @throws what the file system says */
	write(at: number, bytes: Uint8Array): Promise<void> {
		return new Promise((resolve, reject) => {
			const settle = (error?: unknown): void => (error === undefined ? resolve() : reject(error));
			this.#pending.set(at, { at, bytes, settle });
			void this.#next();
		});
	}

	async #next(): Promise<void> {
		if (this.#writing >= AT_ONCE || this.#pending.size === 0) {
			return;
		}
		const run = this.#takeRun();
		this.#writing += 1;
		const error = await this.#writeRun(run).catch((reason: unknown) => reason);
		this.#writing -= 1;
		for (const { settle } of run) {
			settle(error);
		}
		void this.#next();
	}

	/** The oldest of those that wait, and what follows it in the file. */
	#takeRun(): Pending[] {
		const [first] = this.#pending.values();
		const run: Pending[] = [];
		let bytes = 0;
		for (
			let next = first;
			next !== undefined && run.length < MOST_BUFFERS && bytes < MOST_BYTES;
			next = this.#pending.get(next.at + next.bytes.length)
		) {
			this.#pending.delete(next.at);
			run.push(next);
			bytes += next.bytes.length;
		}
		return run;
	}

	async #writeRun(run: readonly Pending[]): Promise<void> {
		let at = (run[0] as Pending).at;
		let buffers = run.map(({ bytes }) => bytes);
		while (buffers.length > 0) {
			const { bytesWritten } = await this.#handle.writev(buffers, at);
			at += bytesWritten;
			buffers = rest(buffers, bytesWritten);
		}
	}
}

/** What is left of `buffers` after their first `count` bytes. */
function rest(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
	let skipped = 0;
	return buffers.flatMap((buffer) => {
		const start = Math.max(0, count - skipped);
		skipped += buffer.length;
		return start < buffer.length ? [buffer.subarray(start)] : [];
	});
}
