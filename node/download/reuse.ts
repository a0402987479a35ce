import { type Seed, sameDigest } from '../../protocol/index.ts';
import type { ChunkWriter } from '../chunk-writer/chunk-writer.ts';
import type { DigestChunk } from '../chunk-writer/inline-writer.ts';
import type { Finder, KnownBytes, ReusedBytes } from '../reuse/known-bytes.ts';
import { type ContentStore, hasAllWanted, type StoredContent } from '../storage/content-store.ts';
import { Doubles } from './doubles.ts';
import { type KnownPiece, PartlyKnown } from './partly-known.ts';

/**
 * Divides the bytes that were not fetched by where they were found. A chunk that was found may turn
 * out to be wrong on the disk later, and is fetched then. Such bytes are in `found`, but not in
 * `kept`; so the result is limited to `kept`.
 *
 * @param kept the number of bytes that were not fetched
 * @param found the bytes that were found elsewhere than in the place of the download
 */
export function reusedOf(kept: number, found: Omit<ReusedBytes, 'place'>): ReusedBytes {
	const zeros = Math.min(found.zeros, kept);
	const known = Math.min(found.known, kept - zeros);
	const files = Math.min(found.files, kept - zeros - known);
	return { place: kept - zeros - known - files, known, zeros, files };
}

/**
 * Bytes of the chunks that are read and verified at the same time, and the least and greatest
 * number of these chunks.
 */
const AT_ONCE = 8 * 1024 * 1024;
const LEAST_AT_ONCE = 2;
const MOST_AT_ONCE = 32;
/** Maximum bytes of zeros that are written at a time; at least one chunk is written. */
const MOST_ZEROS = 1024 * 1024;

/** The chunks of a download that need not be fetched, because their bytes are known. */
export class Reuse {
	readonly #bytes = { known: 0, zeros: 0, files: 0 };
	/** The known bytes of chunks that are not known as a whole. */
	readonly partly: PartlyKnown;
	readonly #content: StoredContent;
	readonly #writer: ChunkWriter;
	readonly #contents: ContentStore;

	constructor(
		content: StoredContent,
		{ writer, contents }: { writer: ChunkWriter; contents: ContentStore },
	) {
		this.partly = new PartlyKnown(content.seed.layout);
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

	/**
	 * Stores the chunks that need not be fetched.
	 *
	 * @param searches are made one after the other, until nothing is missing
	 * @throws the errors of the writer
	 */
	async takeAll(
		digestChunk: DigestChunk,
		searches: readonly KnownBytes[],
		signal: AbortSignal,
	): Promise<void> {
		await this.#takeZeros(digestChunk, signal);
		for (const search of searches) {
			if (!hasAllWanted(this.#content)) {
				await this.#takeKnown(search, signal);
			}
		}
	}

	/** The missing chunks that repeat each other. Of several equal chunks, only one is fetched. */
	doubles(): Doubles {
		const about = { writer: this.#writer, contents: this.#contents };
		return new Doubles(this.#content, this.missing(), about);
	}

	/** Counts bytes that were not fetched, and that another class has found. */
	count(origin: 'known' | 'files', bytes = 0): void {
		this.#bytes[origin] += bytes;
	}

	/** As {@link reusedOf}. */
	of(kept: number): ReusedBytes {
		return reusedOf(kept, this.#bytes);
	}

	/** Stores the chunks of zeros. @throws the errors of the writer */
	async #takeZeros(digestChunk: DigestChunk, signal: AbortSignal): Promise<void> {
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
			await this.#take(first, count, [zeros(bytesOf(seed, first, count))], 'zeros');
			at += count;
		}
	}

	/** Stores the chunks that are found on this machine. @throws the errors of the writer */
	async #takeKnown(known: KnownBytes, signal: AbortSignal): Promise<void> {
		const { chunkSize } = this.#content.seed.layout;
		const fitting = Math.floor(AT_ONCE / chunkSize);
		const lanes = Math.min(MOST_AT_ONCE, Math.max(LEAST_AT_ONCE, fitting));
		const search = known.search(this.#content, () => this.missing(), signal);
		for await (const finder of search) {
			const chunks = this.missing().values();
			const takeAll = async (): Promise<void> => {
				let block: Uint8Array | undefined;
				const memory = (): Uint8Array => {
					// Shared memory is passed to the thread that writes without a copy.
					block ??= new Uint8Array(new SharedArrayBuffer(chunkSize));
					return block;
				};
				for (const chunk of chunks) {
					signal.throwIfAborted();
					await this.#takeFound(chunk, finder, memory);
				}
			};
			await Promise.all(Array.from({ length: lanes }, takeAll));
			for (const chunk of this.missing()) {
				signal.throwIfAborted();
				await this.#takePieces(chunk, finder);
			}
			if (this.missing().length === 0) {
				return;
			}
		}
	}

	/** Reads the known pieces of a chunk into memory. If they are the whole chunk, it is stored. */
	async #takePieces(chunk: number, finder: Finder): Promise<void> {
		if (finder.pieces === undefined || !this.partly.takes(chunk)) {
			return;
		}
		const { layout } = this.#content.seed;
		const start = layout.offsetOf(chunk);
		const pieces: KnownPiece[] = [];
		for (const { from, length, read } of finder.pieces(chunk)) {
			const bytes = new Uint8Array(length);
			await read(bytes).then(
				() => pieces.push({ offset: start + from, bytes }),
				() => {},
			);
		}
		const known = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
		if (known < layout.sizeOf(chunk)) {
			this.partly.add(chunk, pieces);
			return;
		}
		// If all bytes are known and the chunk is wrong, a file has changed: it is requested whole.
		const all = pieces.map(({ bytes }) => bytes);
		await this.#take(chunk, 1, all, 'files');
	}

	/** @param memory returns memory with room for a chunk; called only if there is a candidate */
	async #takeFound(chunk: number, finder: Finder, memory: () => Uint8Array): Promise<void> {
		for (const candidate of finder.candidates(chunk)) {
			const bytes = memory().subarray(0, this.#content.seed.layout.sizeOf(chunk));
			const isRead = await candidate.read(bytes).then(
				() => true,
				() => false,
			);
			const isTaken = isRead && (await this.#take(chunk, 1, [bytes], candidate.origin));
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
		bytes: readonly Uint8Array[],
		origin: 'known' | 'zeros' | 'files',
	): Promise<boolean> {
		const good = await this.#writer.write({ first, count }, bytes);
		for (const [at, isGood] of good.entries()) {
			if (isGood) {
				this.#bytes[origin] += this.#content.seed.layout.sizeOf(first + at);
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

/** An array of `length` zeros. Callers must not write to it. */
function zeros(length: number): Uint8Array {
	if (kept.length < length) {
		kept = new Uint8Array(length);
	}
	return kept.subarray(0, length);
}
