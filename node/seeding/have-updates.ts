import type { NodeReply } from '../../protocol/index.ts';
import { runsOf } from '../util/runs.ts';

/** ms in which gained chunks are gathered, at most. */
const TELL_EVERY = 250;
/** Bytes of gained chunks, for each reader, that are told without waiting longer: a fast swarm would fetch them again. */
const TELL_AFTER = 1024 * 1024;
/** ms for which a node that asked which chunks are here is told of new ones. */
const SUBSCRIBED = 10_000;
const RUNS_AT_ONCE = 1_000;
/** Readers of one seed beyond which those that are over are looked for. */
const MANY = 64;

/**
 * Tells the nodes that asked for a bit field within the last ten seconds which chunks have been
 * added since: in batches, four times a second or after so many bytes.
 */
export class HaveUpdates {
	readonly #tell: (to: string, update: NodeReply) => void;
	readonly #now: () => number;
	/** By seed: who wants to know, and until when. */
	readonly #readers = new Map<string, Map<string, number>>();
	readonly #gained = new Map<string, { readonly chunks: number[]; bytes: number }>();
	#timer: NodeJS.Timeout | undefined;

	/** @param now ms, monotonic */
	constructor(
		tell: (to: string, update: NodeReply) => void,
		now: () => number = () => performance.now(),
	) {
		this.#tell = tell;
		this.#now = now;
	}

	/** `reader` has been told what is here of `seed`. */
	subscribe(seed: string, reader: string): void {
		const readers = this.#readers.get(seed) ?? new Map<string, number>();
		for (const [known, until] of readers.size > MANY ? readers : []) {
			if (this.#now() > until) {
				readers.delete(known);
			}
		}
		readers.set(reader, this.#now() + SUBSCRIBED);
		this.#readers.set(seed, readers);
	}

	/** `chunk` of `seed`, of so many `bytes`, is here now. */
	gained(seed: string, chunk: number, bytes: number): void {
		const readers = this.#readers.get(seed)?.size ?? 0;
		if (readers > 0) {
			const gained = this.#gained.get(seed) ?? { chunks: [], bytes: 0 };
			gained.chunks.push(chunk);
			gained.bytes += bytes;
			this.#gained.set(seed, gained);
			if (gained.bytes >= TELL_AFTER * readers) {
				this.#flush();
			} else {
				this.#timer ??= setTimeout(() => this.#flush(), TELL_EVERY);
			}
		}
	}

	close(): void {
		clearTimeout(this.#timer);
		this.#readers.clear();
	}

	#flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		for (const [seed, { chunks }] of this.#gained) {
			const runs = runsOf(chunks.sort((a, b) => a - b)).map(
				([first, last]) => [first, last - first + 1] as const,
			);
			for (const [reader, until] of this.#readers.get(seed) ?? []) {
				if (this.#now() > until) {
					this.#readers.get(seed)?.delete(reader);
				} else {
					for (let start = 0; start < runs.length; start += RUNS_AT_ONCE) {
						this.#tell(reader, {
							op: 'gained',
							seed,
							runs: runs.slice(start, start + RUNS_AT_ONCE),
						});
					}
				}
			}
			if (this.#readers.get(seed)?.size === 0) {
				this.#readers.delete(seed);
			}
		}
		this.#gained.clear();
	}
}
