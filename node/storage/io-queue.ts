interface Pending {
	readonly at: number;
	readonly bytes: Uint8Array;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
}

/** Buffers of one run: below IOV_MAX everywhere. */
const MOST_BUFFERS = 256;

/**
 * Reads or writes buffers, one after the other, from a position of a file on. @returns how many bytes of them
 * it has done
 */
export type MoveRun = (buffers: readonly Uint8Array[], at: number) => Promise<number>;

/** Options of a {@link IoQueue}. */
export interface RunQueueOptions {
	/** Runs under way at a time. */
	readonly atOnce: number;
	/** Bytes of a run that was put together of several. */
	readonly mostBytes: number;
}

/**
 * Reads of one file, or writes to it, by position. Consecutive waiting operations are joined into
 * one, because the hand-over to the thread pool and back costs more than copying 256 KiB.
 */
export class IoQueue {
	readonly #move: MoveRun;
	readonly #options: RunQueueOptions;
	/** In the order they came. */
	readonly #pending = new Set<Pending>();
	/** The same by position; of several at one position the first. */
	readonly #byPosition = new Map<number, Pending>();
	#moving = 0;
	#isDue = false;

	constructor(move: MoveRun, options: RunQueueOptions) {
		this.#move = move;
		this.#options = options;
	}

	/**
	 * Reads `bytes` from position `at`, or writes them there. Nobody else touches them meanwhile, nor writes
	 * there: which of two would come last is not said.
	 *
	 * @throws what the file system says, if it did not do all of them
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

	/** The oldest of those that wait, and what follows it in the file. */
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

	/** Settles each of `run` as soon as its bytes are done; those that are not yet fail with the error. */
	async #moveRun(run: readonly Pending[]): Promise<void> {
		let left = run;
		/** Bytes of the first of `left` that are done. */
		let done = 0;
		try {
			for (let [first] = left; first !== undefined; [first] = left) {
				const buffers = left.map(({ bytes }) => bytes);
				buffers[0] = first.bytes.subarray(done);
				const moved = await this.#move(buffers, first.at + done);
				[left, done] = settled(left, done + moved);
				if (moved === 0 && left.length > 0) {
					throw new Error('the system moves nothing and does not say why');
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
