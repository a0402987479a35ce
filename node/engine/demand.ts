import type { ChunkRun } from './chunk-run.ts';

/**
 * The chunks that readers need now: one run for each reader. A reader needs the first chunk of its
 * run most urgently. Needed chunks are requested before all others; with the order `demanded` no
 * others are fetched.
 */
export class Demand {
	readonly #runs = new Map<object, ChunkRun>();

	/** Sets the run that `reader` needs now; it replaces the earlier run of that reader. */
	set(reader: object, run: ChunkRun): void {
		this.#runs.set(reader, run);
	}

	/** Removes `reader`, which needs no more chunks. */
	remove(reader: object): void {
		this.#runs.delete(reader);
	}

	/** Whether a reader needs `chunk`. */
	has(chunk: number): boolean {
		for (const { first, count } of this.#runs.values()) {
			if (chunk >= first && chunk < first + count) {
				return true;
			}
		}
		return false;
	}

	/** The needed chunks: the first of each reader, then the second of each, and so on. */
	*chunks(): Generator<number> {
		const runs = [...this.#runs.values()];
		const most = Math.max(0, ...runs.map(({ count }) => count));
		for (let step = 0; step < most; step += 1) {
			for (const { first, count } of runs) {
				if (step < count) {
					yield first + step;
				}
			}
		}
	}
}
