/** A lane that has worked is tried again sooner than one that never did. */
const SOON = 1_000;
const FIRST = 5_000;
const MOST = 60_000;
/**
 * ms between two tries at an address at which the broker has not seen the node: it may belong to
 * another machine.
 */
const UNSEEN = 10 * 60_000;

/** When nodes may be dialled again. Times are ms by one clock. */
export class DialBackoff {
	/** From when on, and how long to wait after that. */
	readonly #all = new Map<string, { readonly at: number; readonly pause: number }>();

	isTime(node: string, now: number): boolean {
		return now >= (this.#all.get(node)?.at ?? 0);
	}

	/** A lane to `node` that had worked is gone. */
	lost(node: string, now: number): void {
		this.#all.set(node, { at: now + SOON, pause: SOON });
	}

	/** `node` was not to be found; `isSeen`: where the broker has seen it. */
	failed(node: string, isSeen: boolean, now: number): void {
		const pause = this.#all.get(node)?.pause ?? (isSeen ? FIRST : UNSEEN);
		const next = Math.max(pause, Math.min(pause * 2, MOST));
		this.#all.set(node, { at: now + pause, pause: next });
	}

	/** Nothing ever came on the lane to `node`: another program or machine may have its address. */
	mistaken(node: string, now: number): void {
		this.#all.set(node, { at: now + MOST, pause: MOST });
	}

	/** `node` was found, and has said something. */
	worked(node: string): void {
		this.#all.delete(node);
	}
}
