import { hashId, precedence } from '../../protocol/index.ts';

/** The cached rank of a share that was not computed yet. */
const UNKNOWN = 255;
/** The last rank. */
const LAST = 2;

/**
 * The nodes that download the same seed at the same time. Rendezvous hashing assigns each share
 * of the content, a run of chunks, to one of them, without a message. Each node requests the shares
 * that are assigned to it from a seeder before others, and passes them on to the others.
 */
export class CoDownloaders {
	readonly #self: number;
	/** The hash of each node id, by id. */
	readonly #all = new Map<string, number>();
	/** The cached ranks, by share. They are cleared when the co-downloaders change. */
	#known = new Uint8Array(1_024).fill(UNKNOWN);

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

	/**
	 * The rank of this node for `share`: 0 if the share is assigned to this node; 1 if it would be,
	 * should the node that it is assigned to leave; 2 in all other cases.
	 */
	rankOf(share: number): number {
		const known = this.#known[share] ?? UNKNOWN;
		if (known !== UNKNOWN) {
			return known;
		}
		if (share >= this.#known.length) {
			const larger = new Uint8Array(2 * (share + 1)).fill(UNKNOWN);
			larger.set(this.#known);
			this.#known = larger;
		}
		const rank = this.#countBefore(share);
		this.#known[share] = rank;
		return rank;
	}

	#countBefore(share: number): number {
		const own = precedence(this.#self, share);
		let before = 0;
		for (const hash of this.#all.values()) {
			before += precedence(hash, share) > own ? 1 : 0;
			if (before === LAST) {
				break;
			}
		}
		return before;
	}
}
