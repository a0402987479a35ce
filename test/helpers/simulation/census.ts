import type { SwarmNode } from './swarm-node.ts';

/** Counts how the chunks of one seeder spread. */
export class Census {
	/** Bytes the seeder had sent when each chunk was somewhere else as well. */
	sentAtWhole: number | undefined;
	readonly #seeder: SwarmNode;
	readonly #storedElsewhere = new Set<number>();

	constructor(seeder: SwarmNode) {
		this.#seeder = seeder;
	}

	/** A downloader has stored `chunk`. @returns whether with it each chunk is somewhere else as well */
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
