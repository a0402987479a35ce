import { hashId, precedence } from '../../protocol/index.ts';

/** The cached answer of `isOurs` for a share. */
const UNKNOWN = 0;
const OURS = 1;
const OTHERS = 2;

/**
 * The nodes that download the same seed at the same time. Rendezvous hashing assigns each share
 * of the content, a run of chunks, to one of them, without a message. Each node requests the shares
 * that are assigned to it from a seeder before others, and passes them on to the others.
 */
export class CoDownloaders {
	readonly #self: number;
	/** The hash of each node id, by id. */
	readonly #all = new Map<string, number>();
	/** The cached answers, by share. They are cleared when the co-downloaders change. */
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
		if (this.#all.has(id)) {
			return;
		}
		const hash = hashId(id);
		if (hash !== this.#self) {
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

	/** Whether `share` is assigned to this node. */
	isOurs(share: number): boolean {
		const known = this.#known[share] ?? UNKNOWN;
		if (known !== UNKNOWN) {
			return known === OURS;
		}
		const isOurs = this.#isFirst(share);
		if (share >= this.#known.length) {
			const larger = new Uint8Array(2 * (share + 1));
			larger.set(this.#known);
			this.#known = larger;
		}
		this.#known[share] = isOurs ? OURS : OTHERS;
		return isOurs;
	}

	#isFirst(share: number): boolean {
		const own = precedence(this.#self, share);
		for (const hash of this.#all.values()) {
			if (precedence(hash, share) > own) {
				return false;
			}
		}
		return true;
	}
}
