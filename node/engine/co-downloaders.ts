import { hashId, precedence } from '../../protocol/index.ts';

/** The cached rank of a share that was not computed yet. */
const UNKNOWN = 255;
/** The last rank. */
const LAST = 2;
/** Consecutive shares that are divided equally among the co-downloaders. */
const BLOCK = 256;
/**
 * The shares of a block are assigned in steps of this size, so that those that nodes get only
 * because the others have their part lie scattered. A prime above `BLOCK`, so each share comes
 * once.
 */
const STRIDE = 10_007;

/**
 * The nodes that download the same seed at the same time. Rendezvous hashing assigns each share of
 * the content, a run of chunks, to one of them, without a message. Each node requests the shares
 * that are assigned to it from a seeder before others, and passes them on to the others. Of 256
 * consecutive shares, each node gets equally many, or one more. So nodes of the same rate request
 * the last of them at the same time, and need not help each other.
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

	/** A fraction of the content by which this node's order of shares is rotated; random over the nodes. */
	get phase(): number {
		return this.#self / 2 ** 32;
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
	 * The rank of this node for `share`, one of `shares` of the content: 0 if the share is assigned to
	 * this node; 1 if this node has the greatest precedence of all nodes but the owner; 2 otherwise.
	 */
	rankOf(share: number, shares: number): number {
		const known = this.#known[share] ?? UNKNOWN;
		return known === UNKNOWN ? this.#divide(share, shares) : known;
	}

	/**
	 * Computes the ranks of the block of `share`. In turn, each share of the block is assigned to the
	 * node with the greatest precedence, of those that have not got their part of the block yet.
	 *
	 * @returns the rank for `share`
	 */
	#divide(share: number, shares: number): number {
		const first = share - (share % BLOCK);
		const end = Math.min(first + BLOCK, shares);
		if (end > this.#known.length) {
			const larger = new Uint8Array(2 * end).fill(UNKNOWN);
			larger.set(this.#known);
			this.#known = larger;
		}
		const count = end - first;
		const hashes = [this.#self, ...this.#all.values()];
		const part = Math.floor(count / hashes.length);
		const nodes = hashes.map((hash) => ({ hash, left: part }));
		// Some nodes get one share more, if the shares cannot be divided equally.
		let rest = count % hashes.length;
		for (let step = 0; step < count; step += 1) {
			const each = first + ((step * STRIDE) % count);
			const { rank, owner } = assign(nodes, each, rest > 0 ? -1 : 0, this.#self);
			owner.left -= 1;
			rest -= owner.left < 0 ? 1 : 0;
			this.#known[each] = rank;
		}
		return this.#known[share] as number;
	}
}

/**
 * A node, and how many shares of a block it still gets; -1 if it has got one more than its part.
 */
interface Candidate {
	readonly hash: number;
	left: number;
}

/**
 * The node that `share` is assigned to, of those with `left` above `least`, and the rank of `self`.
 */
function assign(
	nodes: readonly Candidate[],
	share: number,
	least: number,
	self: number,
): { rank: number; owner: Candidate } {
	const own = precedence(self, share);
	let owner = nodes[0] as Candidate;
	let greatest = -1;
	/** Nodes with a greater precedence than `self`. */
	let before = 0;
	for (const node of nodes) {
		const value = precedence(node.hash, share);
		before += value > own ? 1 : 0;
		if (node.left > least && value > greatest) {
			owner = node;
			greatest = value;
		}
	}
	const others = before - (greatest > own ? 1 : 0);
	return { rank: owner.hash === self ? 0 : Math.min(1 + others, LAST), owner };
}
