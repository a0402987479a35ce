import type { ByteRange } from '../../../protocol/index.ts';
import type { Link } from './link.ts';

/** A node of a simulated swarm, as the network, the tracker and other nodes see it. */
export interface SimulatedNode {
	readonly index: number;
	readonly id: string;
	readonly idHash: number;
	readonly up: Link;
	readonly down: Link;
	/** The latency to the middle of the network, ms. */
	readonly latency: number;
	readonly isGone: boolean;
	readonly isComplete: boolean;
	/** The nodes of which this node is a peer. */
	readonly countedOnBy: Set<SimulatedNode>;
	/** The chunks it has. */
	have(): number[];
	/** Whether it has all chunks from `first` to `last`. */
	hasRange(first: number, last: number): boolean;
	/** Whether this node subscribes to the swarm topic of `node`. */
	hears(node: SimulatedNode): boolean;
	/** Called when `node` asks which chunks this node has. */
	meet(node: SimulatedNode): void;
	/** Called when the tracker lists these nodes as downloaders. */
	listed(downloaders: readonly SimulatedNode[]): void;
	/** Called when `node` reports its chunks, at first or newly gained ones. */
	onHave(node: SimulatedNode, chunks: readonly number[]): void;
	/** Called when `node`, a peer of this node, has left. */
	onLeft(node: SimulatedNode): void;
	onRequest(from: SimulatedNode, request: bigint, ranges: readonly ByteRange[]): void;
	onCancel(from: SimulatedNode, request: bigint, ranges: readonly ByteRange[]): void;
	/** Called when `node` refuses a request. */
	refusedBy(node: SimulatedNode, request: bigint, reason: 'busy' | 'not-there'): void;
	onBytes(from: SimulatedNode, request: bigint, offset: number, length: number): void;
	onShared(from: SimulatedNode, offset: number, length: number): void;
	/** Called when `node` is not a peer any more. */
	forget(node: SimulatedNode): void;
}
