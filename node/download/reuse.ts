import type { Seed } from '../../protocol/index.ts';
import { sameDigest } from '../../protocol/index.ts';
import type { ChunkWriter } from '../chunk-writer/chunk-writer.ts';
import type { DigestChunk } from '../chunk-writer/inline-writer.ts';
import type { Finder, KnownBytes } from '../reuse/known-bytes.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';

/** Bytes of chunks that are read and verified at a time, and the least number of these chunks. */
const AT_ONCE = 8 * 1024 * 1024;
const LEAST_AT_ONCE = 2;
/** Bytes of zeros that are written at a time. */
const MOST_ZEROS = 1024 * 1024;

/** Stores the chunks of a download that need not be fetched, because their bytes are known. */
export class Reuse {
	readonly bytes = { known: 0, zeros: 0, files: 0 };
	readonly #content: StoredContent;
	readonly #writer: ChunkWriter;
	readonly #contents: ContentStore;

	constructor(
		content: StoredContent,
		{ writer, contents }: { writer: ChunkWriter; contents: ContentStore },
	) {
		this.#content = content;
		this.#writer = writer;
		this.#contents = contents;
	}

	/** The chunks that are wanted and not stored, ascending. */
	missing(): number[] {
		const { seed, have, selected } = this.#content;
		const [wanted, stored] = [selected?.wanted, selected?.stored ?? have];
		const missing: number[] = [];
		for (let chunk = 0; chunk < seed.chunks; chunk += 1) {
			if (wanted?.has(chunk) !== false && !stored.has(chunk)) {
				missing.push(chunk);
			}
		}
		return missing;
	}

	/** Stores the chunks of zeros. @throws the errors of the writer */
	async takeZeros(digestChunk: DigestChunk, signal: AbortSignal): Promise<void> {
		const { seed } = this.#content;
		const { chunkSize } = seed.layout;
		const isZeros = await zerosTest(seed, digestChunk);
		const missing = this.missing().filter(isZeros);
		const most = Math.max(1, Math.floor(MOST_ZEROS / chunkSize));
		for (let at = 0; at < missing.length; ) {
			signal.throwIfAborted();
			const first = missing[at] as number;
			let count = 1;
			while (count < most && missing[at + count] === first + count) {
				count += 1;
			}
			await this.#take(first, count, zeros(bytesOf(seed, first, count)), 'zeros');
			at += count;
		}
	}

	/** Stores the chunks that are found on this machine. @throws the errors of the writer */
	async takeKnown(known: KnownBytes, signal: AbortSignal): Promise<void> {
		const { chunkSize } = this.#content.seed.layout;
		const lanes = Math.max(LEAST_AT_ONCE, Math.floor(AT_ONCE / chunkSize));
		const search = known.search(this.#content, () => this.missing(), signal);
		for await (const finder of search) {
			const chunks = this.missing().values();
			const takeAll = async (): Promise<void> => {
				// The thread that writes gets shared memory without a copy.
				const block = new Uint8Array(new SharedArrayBuffer(this.#content.seed.layout.chunkSize));
				for (const chunk of chunks) {
					signal.throwIfAborted();
					await this.#takeFound(chunk, finder, block);
				}
			};
			await Promise.all(Array.from({ length: lanes }, takeAll));
			if (this.missing().length === 0) {
				return;
			}
		}
	}

	/** @param block memory with room for a chunk */
	async #takeFound(chunk: number, finder: Finder, block: Uint8Array): Promise<void> {
		const bytes = block.subarray(0, this.#content.seed.layout.sizeOf(chunk));
		for (const candidate of finder.candidates(chunk)) {
			const isRead = await candidate.read(bytes).then(
				() => true,
				() => false,
			);
			const isTaken = isRead && (await this.#take(chunk, 1, bytes, candidate.origin));
			candidate.onResult(isTaken);
			if (isTaken) {
				return;
			}
		}
	}

	/** Verifies and stores chunks. @returns whether all of them were right */
	async #take(
		first: number,
		count: number,
		bytes: Uint8Array,
		origin: keyof Reuse['bytes'],
	): Promise<boolean> {
		const good = await this.#writer.write({ first, count }, [bytes]);
		for (const [at, isGood] of good.entries()) {
			if (isGood) {
				this.bytes[origin] += this.#content.seed.layout.sizeOf(first + at);
				this.#contents.gain(this.#content, first + at);
			}
		}
		return good.every((isGood) => isGood);
	}
}

/** A function that tells whether a chunk of `seed` has only zeros. */
async function zerosTest(
	seed: Seed,
	digestChunk: DigestChunk,
): Promise<(chunk: number) => boolean> {
	const digests = new Map<number, Uint8Array>();
	for (const size of new Set([seed.layout.chunkSize, seed.layout.sizeOf(seed.chunks - 1)])) {
		digests.set(size, await digestChunk(seed.kind, new Uint8Array(size)));
	}
	return (chunk) => {
		const digest = digests.get(seed.layout.sizeOf(chunk));
		return digest !== undefined && sameDigest(digest, seed.chunkDigest(chunk));
	};
}

function bytesOf({ layout }: Seed, first: number, count: number): number {
	const last = first + count - 1;
	return layout.offsetOf(last) + layout.sizeOf(last) - layout.offsetOf(first);
}

let kept = new Uint8Array();

/** So many zeros, which must not be written to. */
function zeros(length: number): Uint8Array {
	if (kept.length < length) {
		kept = new Uint8Array(length);
	}
	return kept.subarray(0, length);
}
