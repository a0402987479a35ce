interface Pending {
	readonly at: number;
	readonly bytes: Uint8Array;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
}

/** Maximum number of buffers of one run: below IOV_MAX on every system. */
const MOST_BUFFERS = 256;

/**
 * Reads or writes buffers, one after the other, from a position of a file on.
 *
 * @returns how many bytes were read or written
 */
export type MoveRun = (buffers: readonly Uint8Array[], at: number) => Promise<number>;

/** Options of an {@link IoQueue}. */
export interface RunQueueOptions {
	/** Maximum number of runs under way at a time. */
	readonly atOnce: number;
	/** Bytes. When a run has at least this many, no further operation joins it. */
	readonly mostBytes: number;
}

/**
 * Reads of one file, or writes to it, by position. Consecutive waiting operations are joined into
 * one, because the hand-over to the thread pool and back costs more than copying 256 KiB.
 */
export class IoQueue {
	readonly #move: MoveRun;
	readonly #options: RunQueueOptions;
	/** The waiting operations, in the order in which they were added. */
	readonly #pending = new Set<Pending>();
	/** The waiting operations by position; of several at one position, the first. */
	readonly #byPosition = new Map<number, Pending>();
	#moving = 0;
	#isDue = false;

	constructor(move: MoveRun, options: RunQueueOptions) {
		this.#move = move;
		this.#options = options;
	}

	/**
	 * Fills `bytes` from position `at`, or writes them there. Until the promise settles, the caller
	 * must not use `bytes`, and must not write to the same place: the order of two such writes is
	 * undefined.
	 *
	 * @throws the error of the file system, if not all bytes were read or written
	 */
	move(at: number, bytes: Uint8Array): Promise<void> {
		return new Promise((resolve, reject) => {
			const item = { at, bytes, resolve, reject };
			this.#pending.add(item);
			if (!this.#byPosition.has(at)) {
				this.#byPosition.set(at, item);
			}
			if (!this.#isDue) {
				this.#isDue = true;
				// Moves requested in the same turn can go in one run.
				queueMicrotask(() => {
					this.#isDue = false;
					this.#next();
				});
			}
		});
	}

	#next(): void {
		while (this.#moving < this.#options.atOnce && this.#pending.size > 0) {
			this.#moving += 1;
			void this.#moveRun(this.#takeRun()).then(() => {
				this.#moving -= 1;
				this.#next();
			});
		}
	}

	/** Takes the oldest waiting operation, and those that follow it in the file. */
	#takeRun(): Pending[] {
		const run: Pending[] = [];
		let [next] = this.#pending;
		let bytes = 0;
		while (next !== undefined && run.length < MOST_BUFFERS && bytes < this.#options.mostBytes) {
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

	/**
	 * Reads or writes a run. Each operation resolves as soon as its bytes are done; after an error,
	 * the operations that are not done reject with it.
	 */
	async #moveRun(run: readonly Pending[]): Promise<void> {
		let left = run;
		/** Bytes of the first operation of `left` that are done. */
		let done = 0;
		try {
			for (let [first] = left; first !== undefined; [first] = left) {
				const buffers = left.map(({ bytes }) => bytes);
				buffers[0] = first.bytes.subarray(done);
				const moved = await this.#move(buffers, first.at + done);
				[left, done] = settled(left, done + moved);
				if (moved === 0 && left.length > 0) {
					throw new Error('the system read or wrote no bytes, and gave no reason');
				}
			}
		} catch (error) {
			for (const { reject } of left) {
				reject(error);
			}
		}
	}
}

/**
 * Resolves the operations of `run` that its first `count` bytes cover.
 *
 * @returns the other operations, and how many bytes of the first of them are done
 */
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
