import { Bitfield, Folder, quoted, type Seed, ShoalError } from '../../../protocol/index.ts';
import { InlineWriter } from '../../chunk-writer/inline-writer.ts';
import type { ContentSource } from '../../download/content-source.ts';
import type { Finished, Opened, ReadersTarget } from '../../download/target/target.ts';
import { digestChunk } from './hashes.ts';
import { MemoryBackings } from './memory-backing.ts';

/** The target of a download that fetches only the index of a folder, into memory. */
export class IndexTarget implements ReadersTarget {
	readonly fallbackName = 'folder';

	async open(seed: Seed): Promise<Opened> {
		const storage = await new MemoryBackings().open(seed);
		const writer = new InlineWriter(seed, storage, digestChunk);
		return { storage, writer, have: new Bitfield(seed.chunks), wasThere: false };
	}

	/** Checks nothing: an index is small. */
	async checkRoom(): Promise<void> {}

	stored(): void {}

	async finish(): Promise<Finished> {
		return { path: '-', verified: 'chunks' };
	}

	async settle(): Promise<void> {}

	async abandon(): Promise<void> {}
}

/**
 * The folder of a content. Its index is fetched if it is not known.
 *
 * @throws ShoalError ERR_FOLDER if it is a file, ERR_SEED if the index is not safe, and the errors
 *   that end a download
 */
export async function readFolder(source: ContentSource): Promise<Folder> {
	const { seed, folder, storage } = source.content;
	if (folder !== undefined) {
		return folder;
	}
	if (seed.index === undefined) {
		throw new ShoalError('ERR_FOLDER', `${quoted(seed.name)} is a file, and has no list of files`);
	}
	const count = Math.ceil(seed.index / seed.layout.chunkSize);
	try {
		await source.expect({ first: 0, count });
		for (let first = 0; first < count; first += 1) {
			await source.need({ first, count: count - first });
		}
		const index = new Uint8Array(seed.index);
		await storage.read(0, index);
		return new Folder(seed, index);
	} catch (error) {
		await source.failed(error);
		throw error;
	}
}
