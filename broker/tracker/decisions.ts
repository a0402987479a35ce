import type { Announce, Report, SwarmEvent, WatcherEvent } from '../../protocol/index.ts';
import type { AnnounceRecord } from './known-node.ts';
import { isSeeder } from './listing.ts';

/** Why the tracker refuses an announce. */
export type RefusedAnnounce = 'layout' | 'node-announces' | 'announce-rate' | 'announces' | 'nodes';

/**
 * Why an announce or a report is refused. `report`: a report of a node that is not listed for the
 * seed, or that reports too often.
 */
export type Refused = RefusedAnnounce | 'report';

/**
 * An action of the tracker. `forget`: make the broker drop a retained message. `notify`: send the
 * state of the tracker to a node.
 */
export type Decision =
	| { readonly do: 'notify'; readonly node: string }
	| { readonly do: 'forget'; readonly what: 'node-state'; readonly node: string }
	| {
			readonly do: 'forget';
			readonly what: 'announce';
			readonly node: string;
			readonly seed: string;
	  }
	| {
			readonly do: 'refuse';
			readonly node: string;
			readonly seed: string;
			readonly why: Refused;
	  }
	| { readonly do: 'event'; readonly event: WatcherEvent };

/** The decision to make the broker drop a node's state. */
export function forgetState(node: string): Decision {
	return { do: 'forget', what: 'node-state', node };
}

/** The decision to make the broker drop an announce. */
export function forgetAnnounce(seed: string, node: string): Decision {
	return { do: 'forget', what: 'announce', node, seed };
}

/** Whether a decision ends an announce. */
export function endsAnnounce(decision: Decision): boolean {
	return decision.do === 'forget' && decision.what === 'announce';
}

/** The decision to publish an event about a node. */
export function nodeEvent(event: SwarmEvent['event'], node: string): Decision {
	return { do: 'event', event: { event, node } };
}

/**
 * The events that a live announce means for watchers; `before` is the node's last announce of the
 * seed, and `isKnown` tells whether the seed was known already.
 */
export function progress(
	node: string,
	seed: string,
	{ name, length, chunks, have }: Announce,
	before: AnnounceRecord | undefined,
	isKnown: boolean,
): Decision[] {
	const events: Array<SwarmEvent['event']> = isKnown ? [] : ['seed-added'];
	const isComplete = have.count === chunks;
	if (before === undefined && !isComplete) {
		events.push('download-started');
	}
	if (before !== undefined && !isSeeder(before) && isComplete) {
		events.push('download-complete');
	}
	return events.map((event) => ({ do: 'event', event: { event, node, seed, name, length } }));
}

/** The decision to publish the report of the node `by` about another node. */
export function complaint(by: string, { event, seed, node, chunk }: Report): Decision {
	return { do: 'event', event: { event, seed, node, by, chunk } };
}
