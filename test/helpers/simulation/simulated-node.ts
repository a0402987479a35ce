import type { ByteRange } from '../../../protocol/index.ts';
import type { Link } from './link.ts';

/** A node of a simulated swarm as the network, its tracker and the other nodes see it. */
export interface SimulatedNode {
	readonly index: number;
	readonly id: string;
	readonly idHash: number;
	readonly up: Link;
	readonly down: Link;
	/** ms to the middle of the network. */
	readonly latency: number;
	readonly isGone: boolean;
	readonly isComplete: boolean;
	/** The nodes that count on it. */
	readonly countedOnBy: Set<SimulatedNode>;
	/** The chunks it has. */
	have(): number[];
	/** Whether it has all chunks from `first` to `last`. */
	hasRange(first: number, last: number): boolean;
	/** Whether it listens to what `node` shares. */
	hears(node: SimulatedNode): boolean;
	/** `node` has asked what is here. */
	meet(node: SimulatedNode): void;
	/** The tracker lists these as downloaders. */
	listed(downloaders: readonly SimulatedNode[]): void;
	/** `node` has told what it has, at first or since. */
	onHave(node: SimulatedNode, chunks: readonly number[]): void;
	/** `node`, on which it counts, has left. */
	onLeft(node: SimulatedNode): void;
	onRequest(from: SimulatedNode, request: bigint, ranges: readonly ByteRange[]): void;
	onCancel(from: SimulatedNode, request: bigint, ranges: readonly ByteRange[]): void;
	/** `node` refuses a request. */
	refusedBy(node: SimulatedNode, request: bigint, reason: 'busy' | 'not-there'): void;
	onBytes(from: SimulatedNode, request: bigint, offset: number, length: number): void;
	onShared(from: SimulatedNode, offset: number, length: number): void;
	/** `node` is not counted on any more. */
	forget(node: SimulatedNode): void;
}
