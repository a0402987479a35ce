import { encodeJson, formatRequestId } from '../../protocol/index.ts';
import type { Decision } from '../engine/decision.ts';
import type { NodeContext } from '../node-context.ts';
import type { FanOutSubscriptions } from './fan-out-subscriptions.ts';

/** Asks other nodes for what the engine of a download wants of them, and takes it back, on the lane to each. */
export class Requester {
	readonly #context: NodeContext;
	readonly #seed: string;
	readonly #fanOut: FanOutSubscriptions;

	constructor(context: NodeContext, seed: string, fanOut: FanOutSubscriptions) {
		this.#context = context;
		this.#seed = seed;
		this.#fanOut = fanOut;
	}

	send({ do: what, node, request, ranges }: Extract<Decision, { ranges: unknown }>): void {
		const { lanes, link, topics, downLimiter: downBucket, trace } = this.#context;
		const isRequest = what === 'request';
		if (isRequest) {
			downBucket.spend(ranges.reduce((sum, [, length]) => sum + length, 0));
		}
		const lane = lanes.to(node);
		const isHeard = isRequest && lane.kind === 'broker' && this.#fanOut.hears(node);
		const id = formatRequestId(request);
		const about = { id, seed: this.#seed, ranges, shared: isHeard || undefined };
		const message = { op: isRequest ? 'chunks' : 'cancel', ...about };
		lane.send(topics.request(node, link.id), encodeJson(message));
		const event = isRequest ? 'asked' : 'cancelled';
		trace?.({ event, seed: this.#seed, node, lane: lane.kind, id, ranges });
	}
}
