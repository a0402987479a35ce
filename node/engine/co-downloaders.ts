import { hashId, precedence } from '../../protocol/index.ts';

/** The cached answer of `isOurs` for a chunk. */
const UNKNOWN = 0;
const OURS = 1;
const OTHERS = 2;

/**
 * The nodes that download the same seed at the same time. Rendezvous hashing assigns each chunk to
 * one of them, without a message. Each node requests the chunks that are assigned to it from a
 * seeder before other chunks, and passes them on to the others.
 */
export class CoDownloaders {
	readonly #self: number;
	/** The hash of each node id, by id. */
	readonly #all = new Map<string, number>();
	/** The cached answers, by chunk. They are cleared when the co-downloaders change. */
	#known = new Uint8Array(1_024);

	/** @param self the id of this node */
	constructor(self: string) {
		this.#self = hashId(self);
	}

	/** Whether there are co-downloaders. */
	get areThere(): boolean {
		return this.#all.size > 0;
	}

	/**
	 * Replaces the set by `ids`, the downloaders that the tracker lists; this node's own id is
	 * ignored.
	 */
	set(ids: ReadonlySet<string>): void {
		for (const id of this.#all.keys()) {
			if (!ids.has(id)) {
				this.delete(id);
			}
		}
		for (const id of ids) {
			this.add(id);
		}
	}

	/** Adds the node `id`, which downloads the seed too. */
	add(id: string): void {
		const hash = hashId(id);
		if (hash !== this.#self && !this.#all.has(id)) {
			this.#all.set(id, hash);
			this.#known.fill(UNKNOWN);
		}
	}

	/** Removes the node `id`, which is gone or has every chunk. */
	delete(id: string): void {
		if (this.#all.delete(id)) {
			this.#known.fill(UNKNOWN);
		}
	}

	/** Whether `chunk` is assigned to this node. */
	isOurs(chunk: number): boolean {
		const known = this.#known[chunk] ?? UNKNOWN;
		if (known !== UNKNOWN) {
			return known === OURS;
		}
		const isOurs = this.#isFirst(chunk);
		if (chunk >= this.#known.length) {
			const larger = new Uint8Array(2 * (chunk + 1));
			larger.set(this.#known);
			this.#known = larger;
		}
		this.#known[chunk] = isOurs ? OURS : OTHERS;
		return isOurs;
	}

	#isFirst(chunk: number): boolean {
		const own = precedence(this.#self, chunk);
		for (const hash of this.#all.values()) {
			if (precedence(hash, chunk) > own) {
				return false;
			}
		}
		return true;
	}
}
