import { furthestOf, hashId } from '../../protocol/index.ts';

/** The facts that decide which peer has to leave. */
export interface SlotHolder {
	/** When bytes last arrived from it that were needed, ms; until then, when it was added. */
	readonly sentAt: number;
	/** Whether it has all chunks: as it has said, or before its first answer as the tracker says. */
	readonly isComplete: boolean;
	/** Its last answer; undefined until it answers. */
	readonly reply: unknown;
}

/** The arguments of {@link PeerSlots.slotFor} that have defaults. */
interface SlotRequest {
	readonly isComplete?: boolean;
	readonly isAssigned?: boolean;
	readonly isSilent?: (id: string) => boolean;
	readonly since?: number;
}

/** Most peers that a download uses at a time. */
export const MOST_PEERS = 10;
/** ms of silence after which a peer gives way to another. */
const USELESS = 10_000;
/** ms after which a complete peer that was idle is tried again, in the place of another idle one. */
const AGAIN = 30_000;

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
	/**
	 * Peers that lost their slot because they sent nothing, and when, ms: they get only a slot that is
	 * free. Over thin links, peers that take turns would never send a whole chunk; but a complete peer
	 * gets that of another idle one after `AGAIN`. A peer that was only slow to answer (`isIdle` is
	 * false) is treated like others once it has answered.
	 */
	readonly #useless = new Map<string, { readonly isIdle: boolean; readonly at: number }>();

	/** @param self the id of this node */
	constructor(self: string) {
		this.#self = hashId(self);
	}

	/**
	 * Whether there is a slot for `node`, and which peer has to leave for it. `now` in ms.
	 *
	 * @param about.isComplete whether `node` has all chunks, as the tracker says. @default false
	 * @param about.isAssigned whether `node` is the seeder that the tracker assigns to this node. It
	 * gets a slot in any case if no peer is complete. @default false
	 * @param about.isSilent whether a node fails to answer or to deliver. @default none does
	 * @param about.since when this node began to request bytes, ms. @default long ago
	 */
	slotFor(
		node: string,
		peers: ReadonlyMap<string, SlotHolder>,
		now: number,
		{ isComplete = false, isAssigned = false, isSilent = () => false, since = 0 }: SlotRequest = {},
	): { isThere: boolean; leaves?: string } {
		if (peers.size < MOST_PEERS) {
			this.#useless.delete(node);
			return { isThere: true };
		}
		const useless = this.#useless.get(node);
		const isUseless = useless !== undefined && (useless.isIdle || isSilent(node));
		if (isUseless && !(isComplete && now - useless.at >= AGAIN)) {
			return { isThere: false };
		}
		const isIdle = ({ sentAt }: SlotHolder): boolean => now - Math.max(sentAt, since) >= USELESS;
		const silent = [...peers].filter(
			([id, peer]) => isIdle(peer) || (isSilent(id) && !isSilent(node)),
		);
		const complete = [...peers.values()].filter((peer) => peer.isComplete && peer.reply).length;
		// Over a thin link, the first answer of the only seeder may take longer than `USELESS`. So it
		// gives way only to a node that may be a seeder too.
		const found = silent.find(
			([, peer]) => !peer.isComplete || complete > 1 || (isComplete && !peer.reply),
		);
		if (found !== undefined) {
			const [leaves, peer] = found;
			this.#useless.set(leaves, { isIdle: isIdle(peer), at: now });
			this.#useless.delete(node);
			return { isThere: true, leaves };
		}
		if (isUseless) {
			return { isThere: false };
		}
		const partial = [...peers].filter(([, { isComplete }]) => !isComplete).map(([id]) => id);
		const isOnly = isAssigned && partial.length === peers.size;
		const furthest = furthestOf(this.#self, isOnly ? partial : [...partial, node]);
		return furthest === node ? { isThere: false } : { isThere: true, leaves: furthest };
	}
}
