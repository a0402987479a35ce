import type { Unsubscribe } from 'nanoevents';
import { MAX_RANGE, PORTABLE_PART } from '../../protocol/index.ts';
import type { DownloadEngine } from '../engine/download-engine.ts';
import type { Lane, LaneKind } from '../lanes/lane.ts';
import type { DownloadContext } from './download-types.ts';
import type { FanOutSubscriptions } from './fan-out-subscriptions.ts';

/**
 * ms. On a direct lane, about as many bytes may be open at a node as it sends in this time. The
 * fewer bytes are open, the later chunks have to be chosen, and the better the choice is.
 */
const DIRECT_QUEUE = 500;

/**
 * Adapts a download to the lanes to its peers: the size of parts and windows, and the subscriptions
 * to fan-out topics.
 */
export class PeerLanes {
	readonly #context: Pick<DownloadContext, 'lanes' | 'limits' | 'tracker'>;
	readonly #engine: DownloadEngine;
	readonly #fanOut: FanOutSubscriptions;
	/** Bytes of the largest part that each node accepts requests for. */
	readonly #mostParts = new Map<string, number | undefined>();
	readonly #off: Unsubscribe;

	/** @param changed called when a lane has changed, so that other requests may be possible */
	constructor(
		context: Pick<DownloadContext, 'lanes' | 'limits' | 'tracker'>,
		engine: DownloadEngine,
		fanOut: FanOutSubscriptions,
		changed: () => void,
	) {
		this.#context = context;
		this.#engine = engine;
		this.#fanOut = fanOut;
		this.#off = context.lanes.on('changed', (node, lane) => {
			this.#moved(node, lane);
			changed();
		});
	}

	/**
	 * `node` has chunks, and accepts requests for parts of at most `mostPart` bytes. Nodes of earlier
	 * releases do not say that; through the broker, they send smaller parts.
	 */
	has(node: string, mostPart?: number): void {
		this.#mostParts.set(node, mostPart);
		this.#rebound(node, this.#context.lanes.to(node));
	}

	/** The number of peers on each lane. */
	get counts(): Record<LaneKind, number> {
		const counts = { direct: 0, broker: 0 };
		for (const node of this.#engine.nodes.keys()) {
			counts[this.#context.lanes.to(node).kind] += 1;
		}
		return counts;
	}

	close(): void {
		this.#off();
	}

	/**
	 * Requests that were open on a direct lane are sent again: that lane is lost, or is closed because
	 * another one to the same node has opened.
	 */
	#moved(node: string, lane: Lane): void {
		const remote = this.#engine.nodes.get(node);
		if (remote !== undefined) {
			if (!this.#context.lanes.reaches(node)) {
				this.#engine.removeNode(node);
				return;
			}
			if (remote.window.isDirect) {
				this.#engine.disconnectedFrom(node);
			}
			this.#rebound(node, lane);
		}
	}

	#rebound(node: string, { kind }: Lane): void {
		const { limits, tracker } = this.#context;
		const isDirect = kind === 'direct';
		const carried = isDirect ? MAX_RANGE : Math.min(tracker.part, limits.part);
		const usual = isDirect ? MAX_RANGE : PORTABLE_PART;
		const mostPart = Math.min(carried, this.#mostParts.get(node) ?? usual);
		this.#engine.rebound(node, {
			mostPart,
			isDirect,
			mostQueue: isDirect ? DIRECT_QUEUE : undefined,
		});
		if (isDirect) {
			this.#fanOut.retire(node);
		} else {
			this.#fanOut.join(node);
		}
	}
}
