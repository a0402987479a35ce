import type { FileHandle } from 'node:fs/promises';

interface Pending {
	readonly at: number;
	readonly bytes: Uint8Array;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
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
	readonly #handle: Pick<FileHandle, 'writev'>;
	/** In the order they came. */
	readonly #pending = new Set<Pending>();
	/** The same by position; of several at one position the first. */
	readonly #byPosition = new Map<number, Pending>();
	#writing = 0;

	constructor(handle: Pick<FileHandle, 'writev'>) {
		this.#handle = handle;
	}

	/**
	 * Writes `bytes` at position `at`, which nobody else writes meanwhile: which of two would come last is
	 * not said. They must not change until then.
	 *
	 * @throws what the file system says, if not all of them were written
	 */
	write(at: number, bytes: Uint8Array): Promise<void> {
		return new Promise((resolve, reject) => {
			const write = { at, bytes, resolve, reject };
			this.#pending.add(write);
			if (!this.#byPosition.has(at)) {
				this.#byPosition.set(at, write);
			}
			void this.#next();
		});
	}

	async #next(): Promise<void> {
		if (this.#writing >= AT_ONCE || this.#pending.size === 0) {
			return;
		}
		const run = this.#takeRun();
		this.#writing += 1;
		await this.#writeRun(run);
		this.#writing -= 1;
		void this.#next();
	}

	/** The oldest of those that wait, and what follows it in the file. */
	#takeRun(): Pending[] {
		const run: Pending[] = [];
		let [next] = this.#pending;
		let bytes = 0;
		while (next !== undefined && run.length < MOST_BUFFERS && bytes < MOST_BYTES) {
			this.#pending.delete(next);
			if (this.#byPosition.get(next.at) === next) {
				this.#byPosition.delete(next.at);
			}
			run.push(next);
			bytes += next.bytes.length;
			next = this.#byPosition.get(next.at + next.bytes.length);
		}
		return run;
	}

	/** Settles each of `run` as soon as its bytes are written; those that are not yet fail with the error. */
	async #writeRun(run: readonly Pending[]): Promise<void> {
		let left = run;
		/** Bytes of the first of `left` that are written. */
		let done = 0;
		try {
			for (let [first] = left; first !== undefined; [first] = left) {
				const buffers = left.map(({ bytes }) => bytes);
				buffers[0] = first.bytes.subarray(done);
				const { bytesWritten } = await this.#handle.writev(buffers, first.at + done);
				[left, done] = settled(left, done + bytesWritten);
				if (bytesWritten === 0 && left.length > 0) {
					throw new Error('the system writes nothing and does not say why');
				}
			}
		} catch (error) {
			for (const { reject } of left) {
				reject(error);
			}
		}
	}
}

/** Settles those of `run` that the first `count` bytes of it cover. @returns the others, and the bytes of them */
function settled(run: readonly Pending[], count: number): [Pending[], number] {
	let rest = count;
	for (const [index, { bytes, resolve }] of run.entries()) {
		if (rest < bytes.length) {
			return [run.slice(index), rest];
		}
		rest -= bytes.length;
		resolve();
	}
	return [[], 0];
}
