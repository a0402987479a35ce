import { type Feed, MOST_FEEDS } from '../../protocol/index.ts';
import type { LaneKind } from '../lanes/lane.ts';
import { RateMeter } from '../util/rate-meter.ts';

/** Who feeds a node: the rate at which bytes come from each other node, by lane. */
export class PeerTraffic {
	readonly #now: () => number;
	readonly #meters = new Map<string, { node: string; lane: LaneKind; meter: RateMeter }>();

	/** @param now monotonic time in ms */
	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
	}

	/** Bytes have come from `node`. */
	count(node: string, lane: LaneKind, bytes: number): void {
		const key = `${lane} ${node}`;
		let feed = this.#meters.get(key);
		if (feed === undefined) {
			feed = { node, lane, meter: new RateMeter(this.#now) };
			this.#meters.set(key, feed);
		}
		feed.meter.count(bytes);
	}

	/** The largest, the largest first; undefined if nothing comes. Those that rest are forgotten. */
	get largest(): Feed[] | undefined {
		const peerTraffic: Feed[] = [];
		for (const [key, { node, lane, meter }] of this.#meters) {
			const { rate } = meter;
			if (rate > 0) {
				peerTraffic.push({ node, lane, rate });
			} else {
				this.#meters.delete(key);
			}
		}
		peerTraffic.sort((a, b) => b.rate - a.rate);
		return peerTraffic.length === 0 ? undefined : peerTraffic.slice(0, MOST_FEEDS);
	}
}
