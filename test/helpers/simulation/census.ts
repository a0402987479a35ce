import type { SwarmNode } from './swarm-node.ts';

/** Tracks when every chunk of one seeder has been stored by another node. */
export class Census {
	/** Bytes that the seeder had sent when every chunk was stored by another node. */
	sentAtWhole: number | undefined;
	readonly #seeder: SwarmNode;
	readonly #storedElsewhere = new Set<number>();

	constructor(seeder: SwarmNode) {
		this.#seeder = seeder;
	}

	/**
	 * Records that a downloader has stored `chunk`.
	 *
	 * @returns whether this chunk was the last one that only the seeder had
	 */
	stored(chunk: number): boolean {
		if (this.sentAtWhole !== undefined) {
			return false;
		}
		this.#storedElsewhere.add(chunk);
		const isWhole = this.#storedElsewhere.size === this.#seeder.engine.states.count('have');
		this.sentAtWhole = isWhole ? this.#seeder.uploads.sent : undefined;
		return isWhole;
	}
}
