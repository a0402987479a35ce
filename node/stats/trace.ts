import type { ByteRange } from '../../protocol/index.ts';
import type { LaneKind } from '../lanes/lane.ts';

/** One decision or transfer of a node for one seed. Ranges are `[offset, length]` in bytes of the content. */
export type SeedEvent =
	| {
			readonly event: 'asked' | 'cancelled';
			readonly node: string;
			readonly lane: LaneKind;
			/** The id of the request in messages. */
			readonly id: string;
			readonly ranges: readonly ByteRange[];
	  }
	/**
	 * Bytes have arrived. `shared`: they were sent by fan-out, once to all co-downloaders. `useful`:
	 * the number of these bytes that were requested, or, after a fan-out, were missing.
	 */
	| {
			readonly event: 'received';
			readonly node: string;
			readonly lane: LaneKind;
			readonly offset: number;
			readonly length: number;
			readonly useful: number;
			readonly shared: boolean;
	  }
	/** A node has answered, `took` ms after the request. */
	| { readonly event: 'answered'; readonly node: string; readonly took: number }
	/** Bytes that were requested from a node are no longer expected; they are requested again. */
	| {
			readonly event: 'lost';
			readonly node: string;
			readonly offset: number;
			readonly length: number;
	  }
	/** Chunks are verified and written. */
	| {
			readonly event: 'stored';
			readonly node: string;
			readonly first: number;
			readonly count: number;
	  }
	| { readonly event: 'bad'; readonly node: string; readonly chunk: number }
	/**
	 * `has`: the number of chunks that a node says it has. `gained`: the chunks that a node has
	 * gained. `gone`, `dropped`: a node gets no more requests.
	 */
	| { readonly event: 'has'; readonly node: string; readonly chunks: number }
	| {
			readonly event: 'gained';
			readonly node: string;
			readonly runs: readonly (readonly [first: number, count: number])[];
	  }
	| { readonly event: 'gone' | 'dropped'; readonly node: string }
	/** A node refuses the request `id`. */
	| {
			readonly event: 'refused';
			readonly node: string;
			readonly id: string;
			readonly busy: boolean;
	  }
	/** A message was handed to the lane; `node` is undefined if it goes to all co-downloaders. */
	| {
			readonly event: 'sent';
			readonly node: string | undefined;
			readonly lane: LaneKind;
			readonly offset: number;
			readonly length: number;
	  }
	| { readonly event: 'complete' | 'disconnected' };

/** A {@link SeedEvent} with the id of its seed. */
export type TraceEvent = SeedEvent & { readonly seed: string };

/** A function that receives the trace events of a node. */
export type TraceSink = (event: TraceEvent) => void;

/** A sink that passes events on to all `sinks`; undefined if there are none. */
export function traceToAll(sinks: ReadonlyArray<TraceSink | undefined>): TraceSink | undefined {
	const [first, ...others] = sinks.filter((sink) => sink !== undefined);
	if (first === undefined || others.length === 0) {
		return first;
	}
	return (event) => {
		first(event);
		for (const sink of others) {
			sink(event);
		}
	};
}
