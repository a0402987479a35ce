import { type Feed, MOST_FEEDS, type NodeState } from '../../protocol/index.ts';
import type { LaneKind } from '../lanes/lane.ts';
import { RateMeter } from '../util/rate-meter.ts';

/**
 * Counts the bytes of contents that a node sends and receives: in all, and by lane. Counts received
 * bytes also by their sender.
 */
export class Traffic {
	/** All bytes that were sent, and all bytes that were received. */
	readonly up: RateMeter;
	readonly down: RateMeter;
	readonly #now: () => number;
	readonly #lanes = { direct: { sent: 0, received: 0 }, broker: { sent: 0, received: 0 } };
	readonly #peers = new Map<string, { node: string; lane: LaneKind; meter: RateMeter }>();

	/** @param now monotonic time in ms */
	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
		this.up = new RateMeter(now);
		this.down = new RateMeter(now);
	}

	/** Counts `bytes` that were handed to a lane. */
	sent(lane: LaneKind, bytes: number): void {
		this.up.count(bytes);
		this.#lanes[lane].sent += bytes;
	}

	/** Counts `bytes` that were received from `node`. */
	received(node: string, lane: LaneKind, bytes: number): void {
		this.down.count(bytes);
		this.#lanes[lane].received += bytes;
		const key = `${lane} ${node}`;
		let peer = this.#peers.get(key);
		if (peer === undefined) {
			peer = { node, lane, meter: new RateMeter(this.#now) };
			this.#peers.set(key, peer);
		}
		peer.meter.count(bytes);
	}

	/** All bytes by lane, in the form that the state of a node has. */
	get lanes(): NonNullable<NodeState['lanes']> {
		return structuredClone(this.#lanes);
	}

	/**
	 * The nodes that send to this node at the highest rates, the fastest first; undefined if no node
	 * sends. Nodes that send nothing are forgotten.
	 */
	get largest(): Feed[] | undefined {
		const feeds: Feed[] = [];
		for (const [key, { node, lane, meter }] of this.#peers) {
			const { rate } = meter;
			if (rate > 0) {
				feeds.push({ node, lane, rate });
			} else {
				this.#peers.delete(key);
			}
		}
		feeds.sort((a, b) => b.rate - a.rate);
		return feeds.length === 0 ? undefined : feeds.slice(0, MOST_FEEDS);
	}
}
