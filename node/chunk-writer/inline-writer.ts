import { type DigestKind, type Seed, sameDigest } from '../../protocol/index.ts';
import type { ChunkRun } from '../engine/chunk-run.ts';
import type { Storage } from '../storage/storage.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import { runsOf } from './verified-runs.ts';

/** The digest of a chunk. */
export type DigestChunk = (kind: DigestKind, bytes: Uint8Array) => Promise<Uint8Array>;

/**
 * Verifies and stores chunks on the event loop: for contents so small that a thread is not worth
 * its start, and for platforms without threads that share memory.
 */
export class InlineWriter implements ChunkWriter {
	readonly #seed: Seed;
	readonly #storage: Storage;
	readonly #digest: DigestChunk;
	readonly #writing = new Set<Promise<unknown>>();

	constructor(seed: Seed, storage: Storage, digest: DigestChunk) {
		this.#seed = seed;
		this.#storage = storage;
		this.#digest = digest;
	}

	async write(run: ChunkRun, segments: readonly Uint8Array[]): Promise<readonly boolean[]> {
		const writing = this.#write(run, joined(segments));
		this.#writing.add(writing);
		try {
			return await writing;
		} finally {
			this.#writing.delete(writing);
		}
	}

	async close(): Promise<void> {
		await Promise.allSettled(this.#writing);
	}

	async #write({ first, count }: ChunkRun, bytes: Uint8Array): Promise<boolean[]> {
		const { kind, layout } = this.#seed;
		const offset = layout.offsetOf(first);
		const slice = (from: number, chunks: number): Uint8Array => {
			const last = from + chunks - 1;
			const end = layout.offsetOf(last) + layout.sizeOf(last);
			return bytes.subarray(layout.offsetOf(from) - offset, end - offset);
		};
		const checks = Array.from({ length: count }, async (_, index) => {
			const digest = await this.#digest(kind, slice(first + index, 1));
			return sameDigest(digest, this.#seed.chunkDigest(first + index));
		});
		const good = await Promise.all(checks);
		for (const run of runsOf(first, good)) {
			if (run.isGood) {
				await this.#storage.write(layout.offsetOf(run.first), slice(run.first, run.count));
			}
		}
		return good;
	}
}

function joined(segments: readonly Uint8Array[]): Uint8Array {
	const [first] = segments;
	if (first !== undefined && segments.length === 1) {
		return first;
	}
	const bytes = new Uint8Array(segments.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const segment of segments) {
		bytes.set(segment, at);
		at += segment.length;
	}
	return bytes;
}
