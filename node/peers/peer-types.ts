import type { Limits, Link, NodeReply, Topics } from '../../protocol/index.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { TrackerClient } from '../tracker/tracker-client.ts';
import type { Slots } from '../util/slots.ts';
import type { Responsiveness } from './responsiveness.ts';

/** A peer's answer to a `have` request. */
export type HaveReply = Extract<NodeReply, { op: 'have' }>;

/** The parts of a node that {@link Peers} use. */
export interface PeersContext {
	readonly link: Link;
	readonly topics: Topics;
	/** The lanes to other nodes. */
	readonly lanes: Lanes;
	readonly limits: Limits;
	readonly tracker: TrackerClient;
	/** Records which nodes send the chunks that they say they have. */
	readonly responsiveness: Responsiveness;
	/**
	 * Limits how many downloads run at a time: a seeder refuses a node with too many open requests.
	 */
	readonly downloadSlots: Slots;
	/** Called when a peer violates the protocol, or an operation has failed and is retried. */
	readonly warn: (error: unknown) => void;
}

/** Callbacks of {@link Peers}. */
export interface PeersHandlers {
	/**
	 * A peer has replied which chunks it has. `roundTrip`: ms that it took to answer a `have`
	 * request; 0 if unknown.
	 */
	has(node: string, reply: HaveReply, roundTrip: number): void;
	/**
	 * `node` is not a peer any more: it does not answer or share, is banned, or has lost its slot.
	 */
	gone(node: string): void;
	/**
	 * The tracker has answered. `nodes`: how many nodes it lists, without this node and without
	 * banned nodes. `liars`: how many nodes this download has banned.
	 */
	listed(nodes: number, liars: number): void;
}
