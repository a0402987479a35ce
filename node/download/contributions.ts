import type { LaneKind } from '../lanes/lane.ts';

/** How much one node contributed to a download, on one lane. */
export interface SourceShare {
	/** Node id. */
	readonly node: string;
	/** The lane on which the bytes arrived. */
	readonly lane: LaneKind;
	/** Chunks, verified and stored. */
	readonly chunks: number;
	/** Bytes of these chunks. */
	readonly bytes: number;
}

/** Counts the chunks and bytes that each node has sent. */
export class Contributions {
	readonly #shares = new Map<string, SourceShare>();

	/** The contributions of all nodes. */
	all(): SourceShare[] {
		return [...this.#shares.values()];
	}

	/** Bytes from all nodes. */
	get bytes(): number {
		return this.all().reduce((sum, { bytes }) => sum + bytes, 0);
	}

	/**
	 * Adds `chunks` chunks of `bytes` bytes from `node`, verified and stored, that came on `lane`.
	 */
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
