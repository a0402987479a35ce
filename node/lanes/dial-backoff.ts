import { setNewest } from '../util/set-newest.ts';

/**
 * ms until a node is dialled again: `SOON` if a lane that had worked was lost, `FIRST` after the
 * first failed dial, and at most `MOST` after several.
 */
const SOON = 1_000;
const FIRST = 5_000;
const MOST = 60_000;
/**
 * ms between two dials of addresses at which the broker has not seen the node: they may belong to
 * another machine.
 */
const UNSEEN = 10 * 60_000;
/** Most nodes that are remembered; if there are more, the oldest are dropped, and may be dialled. */
const MOST_NODES = 1_000;

/** When a node may be dialled again, and the pause after the next failure. */
interface Pause {
	readonly at: number;
	readonly pause: number;
}

/** Decides when nodes may be dialled again. Times are ms, all by the same clock. */
export class DialBackoff {
	readonly #all = new Map<string, Pause>();

	isTime(node: string, now: number): boolean {
		return now >= (this.#all.get(node)?.at ?? 0);
	}

	/** A lane to `node` that had worked was lost. */
	lost(node: string, now: number): void {
		this.#set(node, { at: now + SOON, pause: SOON });
	}

	/** A dial of `node` failed; `isSeen`: whether the broker has seen it at the dialled addresses. */
	failed(node: string, isSeen: boolean, now: number): void {
		const pause = this.#all.get(node)?.pause ?? (isSeen ? FIRST : UNSEEN);
		const next = Math.max(pause, Math.min(pause * 2, MOST));
		this.#set(node, { at: now + pause, pause: next });
	}

	/** Nothing arrived on the lane to `node`: another program or machine may have its address. */
	mistaken(node: string, now: number): void {
		this.#set(node, { at: now + MOST, pause: MOST });
	}

	/** A message of `node` has arrived on its direct lane. */
	worked(node: string): void {
		this.#all.delete(node);
	}

	#set(node: string, pause: Pause): void {
		setNewest(this.#all, node, pause, MOST_NODES);
	}
}
