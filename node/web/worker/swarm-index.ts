import { type Announce, printable } from '../../../protocol/index.ts';
import { RateMeter } from '../../util/rate-meter.ts';
import type { SeedRow, SeedSort } from '../messages.ts';

/** A seed and its totals. Each announce updates the totals, so that reading them needs no sum. */
interface IndexedSeed {
	readonly id: string;
	readonly name: string;
	readonly length: number;
	readonly isFolder: boolean;
	files: number | undefined;
	since: number;
	readonly gained: RateMeter;
	seeders: number;
	downloaders: number;
}

const ORDERS: Readonly<Record<SeedSort, (a: SeedRow, b: SeedRow) => number>> = {
	name: (a, b) => a.name.localeCompare(b.name),
	length: (a, b) => b.length - a.length,
	seeders: (a, b) => b.seeders - a.seeders,
	downloaders: (a, b) => b.downloaders - a.downloaders,
	rate: (a, b) => b.rate - a.rate,
	age: (a, b) => b.since - a.since,
};

/** All seeds of a swarm, as a list that can be sorted and searched. */
export class SwarmIndex {
	readonly #seeds = new Map<string, IndexedSeed>();
	readonly #seedsOf = new Map<string, number>();

	/** The number of seeds. */
	get size(): number {
		return this.#seeds.size;
	}

	/** The number of seeds that a node announces. */
	seedsOf(node: string): number {
		return this.#seedsOf.get(node) ?? 0;
	}

	/**
	 * Handles a change of the announce of a node for a seed; undefined means that there is no
	 * announce.
	 */
	changed(seed: string, node: string, before?: Announce, after?: Announce): void {
		const about = (after ?? before) as Announce;
		const indexed = this.#seeds.get(seed) ?? newSeed(seed, about);
		this.#seeds.set(seed, indexed);
		indexed.files ??= after?.files;
		indexed.since = Math.min(indexed.since, after?.since ?? indexed.since);
		count(indexed, before, -1);
		count(indexed, after, 1);
		if (before !== undefined && after !== undefined && after.have.count > before.have.count) {
			indexed.gained.count(bytesOf(after) - bytesOf(before));
		}
		if (indexed.seeders + indexed.downloaders === 0) {
			this.#seeds.delete(seed);
		}
		const seeds =
			this.seedsOf(node) + (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
		if (seeds > 0) {
			this.#seedsOf.set(node, seeds);
		} else {
			this.#seedsOf.delete(node);
		}
	}

	/** The row of a seed; undefined if no node has it. */
	row(seed: string): SeedRow | undefined {
		const indexed = this.#seeds.get(seed);
		return indexed && rowOf(indexed);
	}

	/** The seeds whose name contains `query`, or whose id starts with it, in the order of `sort`. */
	rows(query: string, sort: SeedSort): SeedRow[] {
		const part = query.toLowerCase();
		const found: SeedRow[] = [];
		for (const indexed of this.#seeds.values()) {
			if (part === '' || indexed.name.toLowerCase().includes(part) || indexed.id.startsWith(part)) {
				found.push(rowOf(indexed));
			}
		}
		const order = ORDERS[sort];
		return found.sort((a, b) => order(a, b) || (a.id < b.id ? -1 : 1));
	}
}

function newSeed(id: string, { name, length, index, files }: Announce): IndexedSeed {
	const about = { id, name: printable(name), length, isFolder: index !== undefined, files };
	const gained = new RateMeter();
	return { ...about, since: Date.now(), gained, seeders: 0, downloaders: 0 };
}

function count(indexed: IndexedSeed, announce: Announce | undefined, by: 1 | -1): void {
	if (announce !== undefined) {
		indexed[announce.have.count === announce.chunks ? 'seeders' : 'downloaders'] += by;
	}
}

/** Approximately the bytes that a node has: the last chunk may be shorter. */
function bytesOf({ have, chunks, length }: Announce): number {
	return chunks === 0 ? 0 : (have.count / chunks) * length;
}

function rowOf({ gained, ...about }: IndexedSeed): SeedRow {
	return { ...about, rate: gained.rate };
}
