import { furthestOf, hashId } from '../../protocol/index.ts';

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
 * loses its slot to a new peer, unless it is the only complete peer. If all peers send, the
 * furthest of them and of the new peer gets no slot; a complete peer does not lose its slot then.
 *
 * By {@link furthestOf}, each node is a peer of about as many nodes as it has peers. A node that is
 * a peer of more nodes receives more slowly: its uplink is full, so its requests leave late.
 */
export class PeerSlots {
	/** The hash of this node's id. */
	readonly #self: number;
	/** Peers that lost their slot because they sent no chunks: they get only a slot that is free. */
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
		const found = silent.find(([, { isComplete }]) => !isComplete || complete > 1);
		if (found !== undefined) {
			const [leaves, { sentAt }] = found;
			// A peer that was only slow to answer may have its slot back when it has answered.
			if (now - sentAt >= USELESS) {
				this.#useless.add(leaves);
			}
			return { isThere: true, leaves };
		}
		if (isSilent(node)) {
			return { isThere: false };
		}
		const partial = [...peers].filter(([, { isComplete }]) => !isComplete).map(([id]) => id);
		const furthest = furthestOf(this.#self, [...partial, node]);
		return furthest === node ? { isThere: false } : { isThere: true, leaves: furthest };
	}
}
