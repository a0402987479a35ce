import type { Limits, NodeListing, SeedListing } from '../../protocol/index.ts';
import { type AnnounceRecord, nameOf } from './known-node.ts';
import { neighboursOf } from './neighbours.ts';
import type { Swarms } from './swarms.ts';

// Most bytes of the list in a reply: below the 64 KiB of a control message, with room for the rest
// of the reply.
const REPLY_BYTES = 48 * 1024;

// Most seeds that are examined for one page: many seeds may be hidden, and are examined in vain.
const PAGE_SCAN = 5_000;

/**
 * At most `most` seeds that at least one visible node has, in the order of their ids, after the id
 * `after`. If there are more seeds, `next` is the id after which the next page begins.
 */
export function pageOfSeeds(
	swarms: Swarms,
	after: string | undefined,
	most: number,
): { seeds: SeedListing[]; next?: string } {
	const shown: SeedListing[] = [];
	let last: string | undefined;
	for (const seed of swarms.after(after, PAGE_SCAN)) {
		const listing = describeSeed(seed, swarms.records(seed));
		if (listing !== undefined) {
			shown.push(listing);
		}
		last = seed;
		if (shown.length === most) {
			break;
		}
	}
	const seeds = fitting(shown);
	const end = seeds.length < shown.length ? seeds.at(-1)?.seed : last;
	const hasMore = end !== undefined && swarms.after(end, 1).length > 0;
	return hasMore ? { seeds, next: end } : { seeds };
}

/**
 * A seed as other nodes see it, or undefined if none of its nodes is visible. Its name, length and
 * other properties are those that its first visible node announces.
 */
function describeSeed(seed: string, records: Iterable<AnnounceRecord>): SeedListing | undefined {
	let first: AnnounceRecord | undefined;
	let seeders = 0;
	let downloaders = 0;
	for (const record of records) {
		if (record.node.shows(record)) {
			first ??= record;
			if (isSeeder(record)) {
				seeders += 1;
			} else {
				downloaders += 1;
			}
		}
	}
	if (first === undefined) {
		return undefined;
	}
	const { length, chunks, index, files } = first;
	const folder = { ...(index !== undefined && { index }), ...(files !== undefined && { files }) };
	return { seed, name: nameOf(first), length, chunks, ...folder, seeders, downloaders };
}

/** Whether the node of `record` has every chunk. */
export function isSeeder(record: AnnounceRecord): boolean {
	return record.have === record.chunks;
}

/** The first of `items`: as many as fit into one reply. */
function fitting<T>(items: readonly T[]): T[] {
	let bytes = 0;
	const end = items.findIndex((item) => {
		bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
		return bytes > REPLY_BYTES;
	});
	return end === -1 ? [...items] : items.slice(0, end);
}

/** The announces of some nodes of a swarm: those of seeders, and those of downloaders. */
interface Group {
	readonly complete: AnnounceRecord[];
	readonly lacking: AnnounceRecord[];
}

/** The announces of a swarm that other nodes may see. */
export interface VisibleSwarm {
	readonly confirmed: Group;
	readonly unconfirmed: Group;
}

/**
 * The visible announces among `records`. They are sorted into groups in one pass, as there may be
 * tens of thousands.
 */
export function visibleSwarm(records: Iterable<AnnounceRecord>, epoch: number): VisibleSwarm {
	const confirmed: Group = { complete: [], lacking: [] };
	const unconfirmed: Group = { complete: [], lacking: [] };
	for (const record of records) {
		const { node } = record;
		if (node.shows(record)) {
			const group = node.hasConfirmed(record, epoch) ? confirmed : unconfirmed;
			(isSeeder(record) ? group.complete : group.lacking).push(record);
		}
	}
	return { confirmed, unconfirmed };
}

/**
 * All nodes of a swarm of at most `queryAll`; of a larger one a random sample of `querySample`:
 * confirmed nodes before unconfirmed ones. At least half of a sample are seeders, if there are enough,
 * so that many downloaders do not hide the few seeders. With `asker`, the nodes are in the order in
 * which `asker` should use them: its neighbours, then other downloaders, then the other seeders, as
 * these are assigned to other downloaders.
 */
export function sampleNodes(
	{ confirmed, unconfirmed }: VisibleSwarm,
	asker: string | undefined,
	{ queryAll, querySample }: Pick<Limits, 'queryAll' | 'querySample'>,
	random: () => number,
): NodeListing[] {
	const isAll = sizeOf(confirmed) + sizeOf(unconfirmed) <= queryAll;
	const most = isAll ? queryAll : querySample;
	const drawn = [
		...balanced(confirmed, most, random),
		...balanced(unconfirmed, most, random),
	].slice(0, most);
	const sample = asker === undefined ? drawn : inOrderFor(asker, confirmed, { drawn, isAll });
	return fitting([...sample].slice(0, most).map(describeNode));
}

function sizeOf({ complete, lacking }: Group): number {
	return complete.length + lacking.length;
}

function inOrderFor(
	asker: string,
	confirmed: Group,
	{ drawn, isAll }: { drawn: readonly AnnounceRecord[]; isAll: boolean },
): Set<AnnounceRecord> {
	const near = neighboursOf(asker, confirmed, isAll, ({ node }) => node);
	const lacking = drawn.filter((record) => !isSeeder(record));
	return new Set([...near, ...lacking, ...drawn.filter(isSeeder)]);
}

function describeNode({ node, have, chunks }: AnnounceRecord): NodeListing {
	const { id, name, addresses, cert } = node;
	const known = { ...(name !== undefined && { name }), ...(cert !== undefined && { cert }) };
	return { node: id, have, chunks, addresses, ...known };
}

/** At most `most` random records; at least half of them are of seeders, if there are enough. */
function balanced(
	{ complete, lacking }: Group,
	most: number,
	random: () => number,
): AnnounceRecord[] {
	const seeders = new Shuffle(complete.length, random);
	const half = Math.min(Math.ceil(most / 2), complete.length);
	const first = seeders.take(half).map((index) => complete[index] as AnnounceRecord);
	const left = complete.length - half;
	const others = new Shuffle(left + lacking.length, random)
		.take(most - first.length)
		.map((index) => {
			const record = index < left ? complete[seeders.at(half + index)] : lacking[index - left];
			return record as AnnounceRecord;
		});
	return [...first, ...others];
}

/**
 * The numbers from 0 to `size` - 1, of which the first ones are put into random order
 * (Fisher-Yates). Only the numbers that are not in their places are stored, as a swarm may have tens
 * of thousands of nodes.
 */
class Shuffle {
	readonly #size: number;
	readonly #random: () => number;
	readonly #moved = new Map<number, number>();

	constructor(size: number, random: () => number) {
		this.#size = size;
		this.#random = random;
	}

	/** The number in a place. */
	at(place: number): number {
		return this.#moved.get(place) ?? place;
	}

	/** Puts random numbers into the first places. @returns at most `count` different numbers */
	take(count: number): number[] {
		return Array.from({ length: Math.min(count, this.#size) }, (_, place) => {
			const chosen = place + Math.floor(this.#random() * (this.#size - place));
			const number = this.at(chosen);
			this.#moved.set(chosen, this.at(place));
			this.#moved.set(place, number);
			return number;
		});
	}
}
