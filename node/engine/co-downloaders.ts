import { hashId, precedence } from '../../protocol/index.ts';

/** Chunks of which it is remembered whose they are. */
const REMEMBERED = 16_384;

/**
 * The nodes that download the same seed at the same time. Rendezvous hashing assigns each chunk to
 * one of them, without a message: that node requests the chunk from a seeder first and passes it on
 * to the others.
 */
export class CoDownloaders {
	readonly #self: number;
	/** By id: what it is hashed to. */
	readonly #all = new Map<string, number>();
	/** Results that hold until the co-downloaders change. */
	readonly #ours = new Map<number, boolean>();

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
			this.#ours.clear();
		}
	}

	/** `id` is gone, or has everything. */
	delete(id: string): void {
		if (this.#all.delete(id)) {
			this.#ours.clear();
		}
	}

	/** Whether we are the one to get `chunk` first. */
	isOurs(chunk: number): boolean {
		const isOurs = this.#ours.get(chunk) ?? this.#isFirst(chunk);
		if (this.#ours.size >= REMEMBERED) {
			this.#ours.clear();
		}
		this.#ours.set(chunk, isOurs);
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
