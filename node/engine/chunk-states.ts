import { Bitfield } from '../../protocol/index.ts';

/**
 * The state of a chunk. Every chunk is in exactly one state:
 *
 * - `missing`: no attempt at it is open;
 * - `assigned`: at least one attempt at it is open;
 * - `verifying`: all its bytes are here and being checked;
 * - `have`: verified and stored.
 */
export type ChunkState = 'missing' | 'assigned' | 'verifying' | 'have';

const STATES: readonly ChunkState[] = ['missing', 'assigned', 'verifying', 'have'];
/** For each state, the states from which a chunk can move to it. */
const FROM: Readonly<Record<ChunkState, readonly ChunkState[]>> = {
	missing: ['assigned', 'verifying'],
	assigned: ['missing'],
	verifying: ['assigned'],
	have: ['verifying'],
};

/**
 * Holds the state of every chunk of a download; no other module changes a state. It also keeps a
 * dense list of the missing chunks, so that one can be drawn at random without a search.
 */
export class ChunkStates {
	readonly #states: Uint8Array;
	readonly #counts: Record<ChunkState, number>;
	/** The missing chunks in no order, and the position of each chunk in that list. */
	readonly #missing: Uint32Array;
	readonly #position: Uint32Array;
	/** No chunk before this one is missing. */
	#firstMissing = 0;
	readonly #onMissing: (chunk: number, change: 1 | -1) => void;

	/**
	 * @param have the chunks that are already stored and verified
	 * @param onMissing called when a chunk becomes missing again (+1), or stops being missing (-1)
	 */
	constructor(have: Bitfield, onMissing: (chunk: number, change: 1 | -1) => void = () => {}) {
		this.#onMissing = onMissing;
		this.#states = new Uint8Array(have.size);
		this.#missing = new Uint32Array(have.size);
		this.#position = new Uint32Array(have.size);
		this.#counts = { missing: 0, assigned: 0, verifying: 0, have: 0 };
		for (let chunk = 0; chunk < have.size; chunk += 1) {
			if (have.has(chunk)) {
				this.#states[chunk] = STATES.indexOf('have');
				this.#counts.have += 1;
			} else {
				this.#addMissing(chunk);
			}
		}
	}

	/** The state of `chunk`. */
	of(chunk: number): ChunkState {
		return STATES[this.#states[chunk] as number] as ChunkState;
	}

	/** How many chunks are in `state`. */
	count(state: ChunkState): number {
		return this.#counts[state];
	}

	/** Whether every chunk is verified and stored. */
	get isComplete(): boolean {
		return this.#counts.have === this.#states.length;
	}

	/** The missing chunk at `position` of a list in no order, 0 to `count('missing')` - 1. */
	missingAt(position: number): number {
		return this.#missing[position] as number;
	}

	/** The missing chunks in ascending order. */
	*missing(): Generator<number> {
		for (let chunk = this.#firstMissing; chunk < this.#states.length; chunk += 1) {
			if (this.of(chunk) === 'missing') {
				yield chunk;
			} else if (chunk === this.#firstMissing) {
				this.#firstMissing += 1;
			}
		}
	}

	/** Moves `chunk` to `state`. @throws Error if that transition is not allowed, which is a bug */
	move(chunk: number, state: ChunkState): void {
		const from = this.of(chunk);
		if (!FROM[state].includes(from)) {
			throw new Error(`chunk ${chunk} cannot go from ${from} to ${state}`);
		}
		if (from === 'missing') {
			this.#removeMissing(chunk);
			this.#onMissing(chunk, -1);
		} else {
			this.#counts[from] -= 1;
		}
		if (state === 'missing') {
			this.#addMissing(chunk);
			this.#firstMissing = Math.min(this.#firstMissing, chunk);
			this.#onMissing(chunk, 1);
		} else {
			this.#counts[state] += 1;
		}
		this.#states[chunk] = STATES.indexOf(state);
	}

	/** The chunks that are verified and stored. */
	have(): Bitfield {
		const have = new Bitfield(this.#states.length);
		for (let chunk = 0; chunk < this.#states.length; chunk += 1) {
			if (this.of(chunk) === 'have') {
				have.set(chunk);
			}
		}
		return have;
	}

	#addMissing(chunk: number): void {
		this.#missing[this.#counts.missing] = chunk;
		this.#position[chunk] = this.#counts.missing;
		this.#counts.missing += 1;
	}

	#removeMissing(chunk: number): void {
		this.#counts.missing -= 1;
		const last = this.#missing[this.#counts.missing] as number;
		const hole = this.#position[chunk] as number;
		this.#missing[hole] = last;
		this.#position[last] = hole;
	}
}
