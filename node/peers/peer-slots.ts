import { distance, hashId } from '../../protocol/index.ts';

/** The facts that decide which peer has to leave. */
export interface SlotHolder {
	/** When bytes last arrived from it, ms; until then, when it was added. */
	readonly sentAt: number;
	/** Whether the peer is complete: it has said that it has all chunks. */
	readonly isComplete: boolean;
}

/** Most peers that a download uses at a time. */
const MOST_PEERS = 10;
/** ms of silence after which a peer gives way to another. */
const USELESS = 10_000;

/**
 * Decides which peers get the slots if there are more peers than slots. A peer that sends nothing
 * loses its slot to a new peer, unless it is the only complete peer. If all peers send, a new peer
 * gets the slot of the peer that is furthest away, if the new peer is nearer; a complete peer does not
 * lose its slot in this way. The distance between two nodes is the same in both directions, so about
 * equally many downloaders depend on each node, and no node uploads to the whole swarm.
 */
export class PeerSlots {
	/** The hash of this node's id. */
	readonly #self: number;
	/** Peers that lost their slot because they sent nothing: they get only a slot that is free. */
	readonly #useless = new Set<string>();

	/** @param self the id of this node */
	constructor(self: string) {
		this.#self = hashId(self);
	}

	/**
	 * Whether there is a slot for `node`, and which peer has to leave for it. `now` in ms.
	 *
	 * @param isSilent whether a peer fails to answer or to deliver
	 */
	slotFor(
		node: string,
		peers: ReadonlyMap<string, SlotHolder>,
		now: number,
		isSilent: (id: string) => boolean = () => false,
	): { isThere: boolean; leaves?: string } {
		if (peers.size < MOST_PEERS) {
			return { isThere: true };
		}
		if (this.#useless.has(node)) {
			return { isThere: false };
		}
		const silent = [...peers].filter(
			([id, { sentAt }]) => now - sentAt >= USELESS || (isSilent(id) && !isSilent(node)),
		);
		const complete = [...peers.values()].filter(({ isComplete }) => isComplete).length;
		// Over a thin link, the first answer of the only seeder may take longer than `USELESS`.
		const [leaves] = silent.find(([, { isComplete }]) => !isComplete || complete > 1) ?? [];
		if (leaves !== undefined) {
			this.#useless.add(leaves);
			return { isThere: true, leaves };
		}
		const furthest = this.#furthest(peers);
		if (furthest === undefined || !this.#isNearer(node, furthest)) {
			return { isThere: false };
		}
		return { isThere: true, leaves: furthest };
	}

	/**
	 * The partial peer that is furthest away; undefined if all peers are complete.
	 */
	#furthest(peers: ReadonlyMap<string, SlotHolder>): string | undefined {
		let furthest: string | undefined;
		for (const [id, { isComplete }] of peers) {
			if (!isComplete && (furthest === undefined || this.#isNearer(furthest, id))) {
				furthest = id;
			}
		}
		return furthest;
	}

	#isNearer(node: string, than: string): boolean {
		return distance(this.#self, hashId(node)) < distance(this.#self, hashId(than));
	}
}
