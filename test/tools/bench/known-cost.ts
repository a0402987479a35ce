import { randomBytes } from 'node:crypto';
import { DigestTableBuilder } from '../../../node/reuse/digest-table.ts';

/** Look-ups of which the time is measured together. */
const BATCH = 1_000;
const BATCHES = 101;
/** Digests that are added at a time. */
const BLOCK = 65_536;
const DIGEST = 32;

/**
 * Looks up digests in a table of `count` random ones.
 *
 * @returns µs for one, the median of many
 * @throws Error if the table takes more than 15 bytes for each digest, or one is not found
 */
export function lookUps(count: number): number {
	const blocks = Array.from({ length: Math.ceil(count / BLOCK) }, () => {
		return randomBytes(BLOCK * DIGEST);
	});
	const startedAt = performance.now();
	const builder = new DigestTableBuilder();
	for (const block of blocks) {
		builder.add(block);
	}
	const table = builder.build();
	const built = performance.now() - startedAt;
	const { starts, words, places } = table.arrays;
	const bytes = starts.byteLength + words.byteLength + places.byteLength;
	console.log(
		`a table of ${table.size} digests: ${(bytes / 1e6).toFixed(1)} MB, built in ${Math.round(built)} ms`,
	);
	if (bytes > 15 * table.size) {
		throw new Error(`the table takes ${bytes} bytes`);
	}
	const times = Array.from({ length: BATCHES }, () =>
		batch(blocks, (digest) => table.find(digest)),
	);
	return times.sort((a, b) => a - b)[BATCHES >> 1] as number;
}

/** @returns µs for one look-up */
function batch(blocks: readonly Buffer[], find: (digest: Uint8Array) => number[]): number {
	const places = Array.from({ length: BATCH }, () =>
		Math.floor(Math.random() * blocks.length * BLOCK),
	);
	const digests = places.map((place) => {
		const start = (place % BLOCK) * DIGEST;
		return (blocks[Math.floor(place / BLOCK)] as Buffer).subarray(start, start + DIGEST);
	});
	const startedAt = performance.now();
	let found = 0;
	for (const digest of digests) {
		found += find(digest).length > 0 ? 1 : 0;
	}
	const us = ((performance.now() - startedAt) * 1_000) / BATCH;
	if (found !== BATCH) {
		throw new Error(`${BATCH - found} digests were not found`);
	}
	return us;
}
