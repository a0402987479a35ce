import { encodeJson, type NodeReply } from '../../protocol/index.ts';
import { runsOf } from '../util/runs.ts';

/** ms, at most, for which gained chunks are collected before they are reported. */
const TELL_EVERY = 500;
/**
 * The same if one of the chunks is new to the swarm: until the readers know of it, they request it
 * from the seeder too, or wait for it.
 */
const TELL_FIRST = 100;
/**
 * Bytes. When the collected chunks have this many bytes times the number of readers, they are
 * reported at once: in a fast swarm, the readers would otherwise fetch these chunks a second time.
 */
const TELL_AFTER = 4 * 1024 * 1024;
/**
 * ms for which a node that has requested a bit field is a reader of the seed, that is, gets news.
 */
const SUBSCRIBED = 10_000;
/** Most runs of chunks in one message. */
const RUNS_AT_ONCE = 1_000;
/** If a seed has more readers than this, expired ones are removed. */
const MANY = 64;

/**
 * Reports added chunks to the nodes that requested a bit field within the last ten seconds. The
 * reports go in batches: twice a second, within 100 ms if a chunk is new to the swarm, or as soon as
 * `TELL_AFTER` is reached.
 */
export class HaveUpdates {
	readonly #tell: (to: string, update: Uint8Array) => void;
	readonly #now: () => number;
	/** By seed: the nodes that get news, and until when, ms. */
	readonly #readers = new Map<string, Map<string, number>>();
	readonly #gained = new Map<string, { readonly chunks: number[]; bytes: number }>();
	#timer: NodeJS.Timeout | undefined;
	/** When the next batch is sent, ms. */
	#flushAt = Number.POSITIVE_INFINITY;

	/**
	 * @param tell sends `update`, an encoded reply, to the node `to`
	 * @param now returns the time in ms, by a monotonic clock
	 */
	constructor(
		tell: (to: string, update: Uint8Array) => void,
		now: () => number = () => performance.now(),
	) {
		this.#tell = tell;
		this.#now = now;
	}

	/** `reader` has got the bit field of `seed`: it gets news for the next ten seconds. */
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

	/**
	 * This node has gained `chunk` of `seed`, which has `bytes` bytes. `isFirst`: most likely, no
	 * other downloader has it yet.
	 */
	gained(seed: string, chunk: number, bytes: number, isFirst = false): void {
		const readers = this.#readers.get(seed)?.size ?? 0;
		if (readers > 0) {
			const gained = this.#gained.get(seed) ?? { chunks: [], bytes: 0 };
			gained.chunks.push(chunk);
			gained.bytes += bytes;
			this.#gained.set(seed, gained);
			if (gained.bytes >= TELL_AFTER * readers) {
				this.#flush();
			} else {
				this.#flushWithin(isFirst ? TELL_FIRST : TELL_EVERY);
			}
		}
	}

	close(): void {
		clearTimeout(this.#timer);
		this.#readers.clear();
	}

	#flushWithin(ms: number): void {
		const at = this.#now() + ms;
		if (at < this.#flushAt) {
			clearTimeout(this.#timer);
			this.#flushAt = at;
			this.#timer = setTimeout(() => this.#flush(), ms);
		}
	}

	#flush(): void {
		clearTimeout(this.#timer);
		this.#flushAt = Number.POSITIVE_INFINITY;
		for (const [seed, { chunks }] of this.#gained) {
			const updates = updatesOf(seed, chunks);
			for (const [reader, until] of this.#readers.get(seed) ?? []) {
				if (this.#now() > until) {
					this.#readers.get(seed)?.delete(reader);
				} else {
					for (const update of updates) {
						this.#tell(reader, update);
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

/** The messages about gained chunks, encoded once for all readers. */
function updatesOf(seed: string, chunks: number[]): Uint8Array[] {
	const runs = runsOf(chunks.sort((a, b) => a - b)).map(
		([first, last]) => [first, last - first + 1] as const,
	);
	const updates: Uint8Array[] = [];
	for (let start = 0; start < runs.length; start += RUNS_AT_ONCE) {
		const part = runs.slice(start, start + RUNS_AT_ONCE);
		updates.push(encodeJson({ op: 'gained', seed, runs: part } satisfies NodeReply));
	}
	return updates;
}
