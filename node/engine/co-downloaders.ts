import { hashId, precedence } from '../../protocol/index.ts';

/** What is remembered of a chunk. */
const UNKNOWN = 0;
const OURS = 1;
const OTHERS = 2;

/**
 * The nodes that download the same seed at the same time. Rendezvous hashing assigns each chunk to
 * one of them, without a message: that node requests the chunk from a seeder first and passes it on
 * to the others.
 */
export class CoDownloaders {
	readonly #self: number;
	/** By id: what it is hashed to. */
	readonly #all = new Map<string, number>();
	/** By chunk: results that hold until the co-downloaders change. */
	#known = new Uint8Array(1_024);

	/** @param self our own node id */
	constructor(self: string) {
		this.#self = hashId(self);
	}

	/** Whether there are any. */
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

	/** `id` fetches it. */
	add(id: string): void {
		const hash = hashId(id);
		if (hash !== this.#self && !this.#all.has(id)) {
			this.#all.set(id, hash);
			this.#known.fill(UNKNOWN);
		}
	}

	/** `id` is gone, or has everything. */
	delete(id: string): void {
		if (this.#all.delete(id)) {
			this.#known.fill(UNKNOWN);
		}
	}

	/** Whether we are the one to get `chunk` first. */
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
