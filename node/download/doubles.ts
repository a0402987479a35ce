import { Bitfield, type Seed, sameDigest } from '../../protocol/index.ts';
import type { ChunkWriter } from '../chunk-writer/chunk-writer.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import { readChunk } from '../storage/copy-chunks.ts';

/**
 * The chunks of a download that repeat another chunk. Of several equal chunks, only the first is
 * fetched. The others are copied from it as soon as it is stored.
 */
export class Doubles {
	/** The chunks that are not fetched, because another chunk with the same digest is fetched. */
	readonly chunks: Bitfield;
	/** Bytes that were copied. */
	bytes = 0;
	readonly #content: StoredContent;
	readonly #writer: ChunkWriter;
	readonly #contents: ContentStore;
	/** For each chunk that is fetched, the chunks that repeat it. */
	readonly #of: ReadonlyMap<number, readonly number[]>;
	readonly #off: () => void;
	/** Resolves when all copies that were begun are stored; rejects if one fails. */
	#copying: Promise<void> = Promise.resolve();

	/** @param missing the chunks that are not stored yet, ascending */
	constructor(
		content: StoredContent,
		missing: readonly number[],
		{ writer, contents }: { writer: ChunkWriter; contents: ContentStore },
	) {
		this.#content = content;
		this.#writer = writer;
		this.#contents = contents;
		this.#of = doublesOf(content, missing);
		this.chunks = new Bitfield(content.seed.chunks);
		for (const chunk of [...this.#of.values()].flat()) {
			this.chunks.set(chunk);
		}
		this.#off = contents.on('stored', (stored, chunk) => {
			const doubles = stored === content ? this.#of.get(chunk) : undefined;
			if (doubles !== undefined) {
				this.#copying = this.#copying.then(() => this.#copy(chunk, doubles));
				// The caller of `end` gets the error.
				this.#copying.catch(() => {});
			}
		});
	}

	/** Waits until all copies are stored. @throws the errors of storage and writer */
	async end(): Promise<void> {
		this.#off();
		await this.#copying;
	}

	async #copy(from: number, to: readonly number[]): Promise<void> {
		const { seed, storage } = this.#content;
		for (const chunk of to) {
			// The bytes are read for each copy: the writer may pass the memory on to a thread.
			const bytes = await readChunk(seed, storage, from);
			const [isRight] = await this.#writer.write({ first: chunk, count: 1 }, [bytes]);
			if (isRight === true) {
				this.bytes += bytes.length;
				this.#contents.gain(this.#content, chunk);
			}
		}
	}
}

/** For the first of several equal chunks that can be read once it is stored, the later ones. */
function doublesOf(
	{ seed, selected }: StoredContent,
	missing: readonly number[],
): Map<number, number[]> {
	const first = new Map<number, number>();
	const doubles = new Map<number, number[]>();
	for (const chunk of missing) {
		const key = keyOf(seed, chunk);
		const earlier = first.get(key);
		if (earlier === undefined) {
			// A chunk of which only some bytes are stored cannot be read.
			if (selected?.whole.has(chunk) !== false) {
				first.set(key, chunk);
			}
		} else if (sameDigest(seed.chunkDigest(earlier), seed.chunkDigest(chunk))) {
			const others = doubles.get(earlier) ?? [];
			others.push(chunk);
			doubles.set(earlier, others);
		}
	}
	return doubles;
}

/** The first 52 bits of the digest of a chunk, as a number. */
function keyOf(seed: Seed, chunk: number): number {
	const digest = seed.chunkDigest(chunk);
	const { buffer, byteOffset } = digest;
	const view = new DataView(buffer, byteOffset);
	return view.getUint32(0) * 2 ** 20 + (view.getUint32(4) >>> 12);
}
