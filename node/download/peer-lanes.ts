import type { Unsubscribe } from 'nanoevents';
import { MAX_RANGE } from '../../protocol/index.ts';
import type { DownloadEngine } from '../engine/download-engine.ts';
import type { Lane, LaneKind } from '../lanes/lane.ts';
import type { DownloadContext } from './download-types.ts';
import type { FanOutSubscriptions } from './fan-out-subscriptions.ts';

/**
 * Requests open at a node on a direct lane, in ms of its rate. The fewer are open, the later and
 * the better is the choice of chunks.
 */
const DIRECT_QUEUE = 500;

/**
 * Keeps what may be asked of the sources of a download, and whether their shared topics are heard, in step
 * with the lanes to them.
 */
export class PeerLanes {
	readonly #context: Pick<DownloadContext, 'lanes' | 'limits' | 'tracker'>;
	readonly #engine: DownloadEngine;
	readonly #fanOut: FanOutSubscriptions;
	/** Bytes of the largest part a node wants to be asked for. */
	readonly #mostParts = new Map<string, number>();
	readonly #off: Unsubscribe;

	/** @param changed there may be something else to ask for now */
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

	/** `node` has chunks, and asks for parts of at most `mostPart` bytes. */
	has(node: string, mostPart = MAX_RANGE): void {
		this.#mostParts.set(node, mostPart);
		this.#rebound(node, this.#context.lanes.to(node));
	}

	/** How many of the sources are on which lane. */
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

	/** Requests that were open on a lost lane are sent again. */
	#moved(node: string, lane: Lane): void {
		if (this.#engine.nodes.has(node)) {
			if (!this.#context.lanes.reaches(node)) {
				this.#engine.removeNode(node);
				return;
			}
			if (lane.kind === 'broker') {
				this.#engine.disconnectedFrom(node);
			}
			this.#rebound(node, lane);
		}
	}

	#rebound(node: string, { kind }: Lane): void {
		const { limits, tracker } = this.#context;
		const isDirect = kind === 'direct';
		const carried = isDirect
			? MAX_RANGE
			: Math.min(tracker.state?.part ?? limits.part, limits.part);
		const mostPart = Math.min(carried, this.#mostParts.get(node) ?? carried);
		this.#engine.rebound(node, {
			mostPart,
			isFree: isDirect,
			mostQueue: isDirect ? DIRECT_QUEUE : undefined,
		});
		if (isDirect) {
			this.#fanOut.remove(node);
		} else {
			this.#fanOut.join(node);
		}
	}
}
