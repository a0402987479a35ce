import type { Attempt } from '../engine/attempt.ts';
import type { Segment } from './chunk-assembler.ts';
import type { Reuse } from './reuse.ts';

/** Puts the known bytes of chunks into attempts, so that only the other bytes are requested. */
export class Prefills {
	readonly #reuse: Pick<Reuse, 'count' | 'partly'>;
	/** The attempts that began with known bytes. */
	readonly #attempts = new WeakSet<Attempt>();

	constructor(reuse: Pick<Reuse, 'count' | 'partly'>) {
		this.#reuse = reuse;
	}

	/** Whether `attempt` began with known bytes. */
	has(attempt: Attempt): boolean {
		return this.#attempts.has(attempt);
	}

	/** The known bytes with which `attempt` begins. */
	begin(attempt: Attempt): Segment[] {
		this.#attempts.add(attempt);
		const { firstChunk: first, chunks: count } = attempt;
		const pieces = this.#reuse.partly.piecesIn({ first, count });
		return pieces.map((piece) => ({ ...piece, release: () => {} }));
	}

	/**
	 * Chunks of `attempt` are stored; their known bytes are not needed any more.
	 *
	 * @returns the number of bytes that were known, and so were not fetched
	 */
	stored(attempt: Attempt, first: number, count: number): number {
		let known = 0;
		for (let chunk = first; chunk < first + count; chunk += 1) {
			known += this.has(attempt) ? this.#reuse.partly.bytesOf(chunk) : 0;
			this.#reuse.partly.forget(chunk);
		}
		this.#reuse.count('files', known);
		return known;
	}

	/** A chunk that began with known bytes is wrong: it has to be requested whole. */
	wrong(chunk: number): void {
		this.#reuse.partly.wrong(chunk);
	}
}
