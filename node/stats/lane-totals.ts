import type { LaneBytes, NodeState } from '../../protocol/index.ts';
import type { LaneKind } from '../lanes/lane.ts';

/** Bytes of contents sent and received, by lane. */
export class LaneTotals {
	readonly #lanes: Record<LaneKind, { sent: number; received: number }> = {
		direct: { sent: 0, received: 0 },
		broker: { sent: 0, received: 0 },
	};

	count(lane: LaneKind, way: keyof LaneBytes, bytes: number): void {
		this.#lanes[lane][way] += bytes;
	}

	/** As they stand in a node's state. */
	get all(): NonNullable<NodeState['lanes']> {
		return structuredClone(this.#lanes);
	}
}
