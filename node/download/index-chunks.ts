import { Bitfield, type Seed } from '../../protocol/index.ts';
import type { ChunkWriter } from '../chunk-writer/chunk-writer.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import { readChunk } from '../storage/copy-chunks.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';

/** The chunks of the index of a folder. They are in memory until the target of the folder is open. */
export class IndexChunks {
	/** The chunks as a content of their own, of which nothing is stored yet. */
	readonly content: StoredContent;
	readonly #storage: MemoryStorage;

	constructor(seed: Seed) {
		const { index = 0, layout } = seed;
		const chunks = Math.ceil(index / layout.chunkSize);
		const wanted = new Bitfield(seed.chunks);
		wanted.setRange(0, chunks);
		const stored = new Bitfield(seed.chunks);
		const storage = new MemoryStorage(Math.min(chunks * layout.chunkSize, seed.length));
		const selected = { paths: new Set<string>(), wanted, whole: wanted, stored };
		this.content = { seed, have: new Bitfield(seed.chunks), selected, storage };
		this.#storage = storage;
	}

	/** The index, when all its chunks are stored. */
	get bytes(): Uint8Array {
		return this.#storage.bytes.subarray(0, this.content.seed.index);
	}

	/** Stores the chunks in the content of the target too. @throws the errors of the writer */
	async storeInto(
		content: StoredContent,
		{ writer, contents }: { writer: ChunkWriter; contents: ContentStore },
	): Promise<void> {
		for (const chunk of this.content.have.indices()) {
			if (!content.have.has(chunk) && !content.selected?.stored.has(chunk)) {
				const bytes = await readChunk(content.seed, this.#storage, chunk);
				const [isRight] = await writer.write({ first: chunk, count: 1 }, [bytes]);
				if (isRight) {
					contents.gain(content, chunk);
				}
			}
		}
	}
}
