/** There are so many buckets that each has at most this many entries on average. */
const IN_BUCKET = 4;
/**
 * Maximum number of sources of a digest that are kept. If the first source has changed, the second
 * may still be right.
 */
const MOST_SAME = 2;
/**
 * Maximum number of entries of a bucket; further digests are left out. Real digests fill the
 * buckets evenly, so no bucket becomes full. Only a seed with invented digests can fill a bucket.
 * Without this maximum, look-ups in such a bucket would take very long.
 */
const MOST_IN_BUCKET = 64;
/** Bytes of a SHA-256 digest. */
const DIGEST = 32;

/** The arrays of a {@link DigestTable}, to be stored or sent to a thread. */
export interface DigestTableArrays {
	/** The number of the first entry of each bucket. The last element is the number of entries. */
	readonly starts: Uint32Array;
	/** The first 8 bytes of the digest of each entry, as two numbers. */
	readonly words: Uint32Array;
	/** The position of each entry among the digests from which the table was made. */
	readonly places: Uint32Array;
}

/**
 * Finds the place of a digest among many. The table takes 13 or 14 bytes for each digest. Only the
 * first 8 bytes of digests are compared, so the caller has to verify what is found.
 */
export class DigestTable {
	readonly arrays: DigestTableArrays;
	readonly #shift: number;

	constructor(arrays: DigestTableArrays) {
		this.arrays = arrays;
		this.#shift = 32 - Math.log2(arrays.starts.length - 1);
	}

	/** Number of digests in the table. */
	get size(): number {
		return this.arrays.places.length;
	}

	/** The places of digests with the same first 8 bytes: at most two, in ascending order. */
	find(digest: Uint8Array): number[] {
		const [high, low] = [wordAt(digest, 0), wordAt(digest, 4)];
		const { starts, words, places } = this.arrays;
		const bucket = bucketOf(high, this.#shift);
		const found: number[] = [];
		for (let at = starts[bucket] as number; at < (starts[bucket + 1] as number); at += 1) {
			if (words[2 * at] === high && words[2 * at + 1] === low) {
				found.push(places[at] as number);
			}
		}
		return found;
	}
}

/** Collects digests, and makes a {@link DigestTable} of them. */
export class DigestTableBuilder {
	/** The first 8 bytes of each digest that was added, as two numbers. */
	#words = new Uint32Array(2_048);
	#count = 0;
	/** The place of the first digest of each call of `add`. */
	readonly #firsts: number[] = [];

	/**
	 * Adds the SHA-256 digests of a source, one after the other. If the source has a digest several
	 * times, only its first place is found.
	 *
	 * @param leaveOut a digest that the table must not find. It takes a place nevertheless
	 * @returns the place of the first digest
	 */
	add(digests: Uint8Array, leaveOut?: Uint8Array): number {
		const first = this.#count;
		this.#firsts.push(first);
		const [high, low] = leaveOut ? [wordAt(leaveOut, 0), wordAt(leaveOut, 4)] : [0, 0];
		for (let at = 0; at + DIGEST <= digests.length; at += DIGEST) {
			const words = [wordAt(digests, at), wordAt(digests, at + 4)] as const;
			this.#push(...(words[0] === high && words[1] === low ? ([0, 0] as const) : words));
		}
		return first;
	}

	/** The table of the digests that were added, except those that begin with 8 bytes of zeros. */
	build(): DigestTable {
		const [from, count] = [this.#words, this.#count];
		const bits = Math.min(24, Math.max(1, Math.ceil(Math.log2(count / IN_BUCKET))));
		const starts = new Uint32Array(2 ** bits + 1);
		const shift = 32 - bits;
		for (let at = 0; at < count; at += 1) {
			const bucket = bucketOf(from[2 * at] as number, shift);
			starts[bucket + 1] = (starts[bucket + 1] as number) + 1;
		}
		for (let bucket = 1; bucket < starts.length; bucket += 1) {
			starts[bucket] = (starts[bucket] as number) + (starts[bucket - 1] as number);
		}
		const digests = { words: from.subarray(0, 2 * count), firsts: this.#firsts };
		return new DigestTable(filled(digests, starts, shift));
	}

	#push(high: number, low: number): void {
		if (2 * this.#count === this.#words.length) {
			const larger = new Uint32Array(this.#words.length * 2);
			larger.set(this.#words);
			this.#words = larger;
		}
		this.#words[2 * this.#count] = high;
		this.#words[2 * this.#count + 1] = low;
		this.#count += 1;
	}
}

/**
 * Puts each digest into its bucket. A digest is left out if the bucket is full, or if the bucket
 * already has the digest from the same source or from two other sources.
 */
function filled(
	{ words: from, firsts }: { readonly words: Uint32Array; readonly firsts: readonly number[] },
	room: Uint32Array,
	shift: number,
): DigestTableArrays {
	const count = from.length / 2;
	let source = 0;
	const ends = room.slice(0, -1);
	const words = new Uint32Array(2 * count);
	const places = new Uint32Array(count);
	for (let place = 0; place < count; place += 1) {
		while (place >= (firsts[source + 1] ?? count)) {
			source += 1;
		}
		const first = firsts[source] as number;
		const [high, low] = [from[2 * place] as number, from[2 * place + 1] as number];
		const bucket = bucketOf(high, shift);
		const end = ends[bucket] as number;
		const start = room[bucket] as number;
		const isLeftOut = (high === 0 && low === 0) || end - start >= MOST_IN_BUCKET;
		const arrays = { starts: room, words, places };
		if (!isLeftOut && !hasEnough(arrays, [high, low], { start, end, first })) {
			words[2 * end] = high;
			words[2 * end + 1] = low;
			places[end] = place;
			ends[bucket] = end + 1;
		}
	}
	return compacted({ starts: room, words, places }, ends);
}

/**
 * Whether the bucket with the entries from `start` to `end` already has a digest, either from the
 * source whose first place is `first`, or from two other sources.
 */
function hasEnough(
	{ words, places }: DigestTableArrays,
	[high, low]: readonly [number, number],
	{ start, end, first }: { readonly start: number; readonly end: number; readonly first: number },
): boolean {
	let same = 0;
	for (let at = start; at < end && same < MOST_SAME; at += 1) {
		if (words[2 * at] === high && words[2 * at + 1] === low) {
			same += (places[at] as number) >= first ? MOST_SAME : 1;
		}
	}
	return same >= MOST_SAME;
}

/** Removes the gaps between the buckets. @param ends where the entries of each bucket end */
function compacted(
	{ starts, words, places }: DigestTableArrays,
	ends: Uint32Array,
): DigestTableArrays {
	let to = 0;
	for (let bucket = 0; bucket < ends.length; bucket += 1) {
		const [start, end] = [starts[bucket] as number, ends[bucket] as number];
		words.copyWithin(2 * to, 2 * start, 2 * end);
		places.copyWithin(to, start, end);
		starts[bucket] = to;
		to += end - start;
	}
	starts[ends.length] = to;
	return { starts, words: words.slice(0, 2 * to), places: places.slice(0, to) };
}

function bucketOf(high: number, shift: number): number {
	return high >>> shift;
}

/** The 4 bytes at `at` as a number. */
function wordAt(bytes: Uint8Array, at: number): number {
	const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
	return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
