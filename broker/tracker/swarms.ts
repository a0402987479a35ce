import type { AnnounceRecord } from './known-node.ts';
import { SortedIds } from './sorted-ids.ts';

/**
 * All announces by seed. Invariant: a swarm without announces does not exist. The maps are keyed by
 * ids only.
 */
export class Swarms {
	readonly #swarms = new Map<string, Map<string, AnnounceRecord>>();
	readonly #seeds = new SortedIds();
	#announces = 0;

	/** Number of seeds that at least one node holds. */
	get size(): number {
		return this.#seeds.size;
	}

	/** Number of announces in all. */
	get announces(): number {
		return this.#announces;
	}

	/** Whether at least one node holds `seed`. */
	has(seed: string): boolean {
		return this.#swarms.has(seed);
	}

	/** The announce of `seed` that was made first, of those that there are now. */
	first(seed: string): AnnounceRecord | undefined {
		return this.#swarms.get(seed)?.values().next().value;
	}

	/** The announces of `seed`, one of each node that holds it. */
	records(seed: string): Iterable<AnnounceRecord> {
		return this.#swarms.get(seed)?.values() ?? [];
	}

	/** At most `most` seed ids in order, after the id `after`. */
	after(after: string | undefined, most: number): string[] {
		return this.#seeds.after(after, most);
	}

	/** Adds `record`, in place of an earlier one of the same node. */
	add(record: AnnounceRecord): void {
		const { seed, node } = record;
		let swarm = this.#swarms.get(seed);
		if (swarm === undefined) {
			swarm = new Map();
			this.#swarms.set(seed, swarm);
			this.#seeds.add(seed);
		}
		if (!swarm.has(node.id)) {
			this.#announces += 1;
		}
		swarm.set(node.id, record);
	}

	/** Removes the node's announce of the seed. */
	delete({ seed, node }: AnnounceRecord): void {
		const swarm = this.#swarms.get(seed);
		if (swarm?.delete(node.id)) {
			this.#announces -= 1;
		}
		if (swarm?.size === 0) {
			this.#swarms.delete(seed);
			this.#seeds.delete(seed);
		}
	}
}
