import type { LaneKind } from '../lanes/lane.ts';

/** What one node has contributed, on one lane. */
export interface SourceShare {
	readonly node: string;
	readonly lane: LaneKind;
	readonly chunks: number;
	readonly bytes: number;
}

/** Counts what came from whom. */
export class Contributions {
	readonly #shares = new Map<string, SourceShare>();

	/** What each node has contributed. */
	all(): SourceShare[] {
		return [...this.#shares.values()];
	}

	/** Bytes from all nodes. */
	get bytes(): number {
		return this.all().reduce((sum, { bytes }) => sum + bytes, 0);
	}

	/** So many chunks of `node`, verified and stored, have come on `lane`. */
	count(node: string, lane: LaneKind, chunks: number, bytes: number): void {
		const key = `${node} ${lane}`;
		const before = this.#shares.get(key) ?? { chunks: 0, bytes: 0 };
		this.#shares.set(key, {
			node,
			lane,
			chunks: before.chunks + chunks,
			bytes: before.bytes + bytes,
		});
	}
}
