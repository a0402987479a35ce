import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bitfield, quoted, type Seed, ShoalError } from '../../../protocol/index.ts';
import type { ChunkWriter } from '../../chunk-writer/chunk-writer.ts';
import { chunkWriter } from '../../chunk-writer/file-writer.ts';
import type { ChunkRun } from '../../engine/chunk-run.ts';
import type { StoredContent } from '../../storage/content-store.ts';
import { FileStorage } from '../../storage/file-storage.ts';
import { onFile } from '../../storage/fs-error.ts';
import { formatBytes } from '../../util/size.ts';
import type { Finished, Opened, ReadersTarget } from './target.ts';

/**
 * A file in a temporary folder of its own, for a content that is only read while it is downloaded.
 * The file takes disk space only for the fetched chunks, and only as long as there are readers.
 */
export class TemporaryTarget implements ReadersTarget {
	readonly fallbackName = 'content';
	#folder: string | undefined;
	#storage: FileStorage | undefined;
	#writer: ChunkWriter | undefined;

	async open(seed: Seed): Promise<Opened> {
		const folder = await onFile(tmpdir(), () => mkdtemp(join(tmpdir(), 'shoal-')));
		this.#folder = folder;
		const pieces = [{ path: join(folder, 'content'), length: seed.length }];
		this.#storage = await FileStorage.openToWrite(pieces);
		const have = new Bitfield(seed.chunks);
		this.#writer = chunkWriter(seed, this.#storage);
		return { storage: this.#storage, writer: this.#writer, have, wasThere: false };
	}

	stored(): void {}

	async checkRoom({ seed, have }: StoredContent, runs: Iterable<ChunkRun>): Promise<void> {
		const counted = new Bitfield(seed.chunks);
		let needed = 0;
		for (const { first, count } of runs) {
			for (let chunk = first; chunk < first + count; chunk += 1) {
				if (!have.has(chunk) && counted.set(chunk)) {
					needed += seed.layout.sizeOf(chunk);
				}
			}
		}
		const folder = tmpdir();
		const { bavail, bsize, blocks } = await onFile(folder, () => statfs(folder));
		// A file system in memory without a limit reports a size of 0.
		if (blocks > 0 && needed > bavail * bsize) {
			throw new ShoalError(
				'ERR_NO_SPACE',
				`${quoted(folder, 300)}, which stores a stream until it has been read, has room for ${formatBytes(bavail * bsize)}, ${formatBytes(needed)} are needed; have TMPDIR name another folder, or download into a file`,
			);
		}
	}

	/** Checks nothing: a reader that reads the whole content checks its digest. */
	async finish(): Promise<Finished> {
		return { path: '-', verified: 'chunks' };
	}

	async settle(): Promise<void> {}

	async abandon(): Promise<void> {
		await this.#writer?.close();
		await this.#storage?.close();
		if (this.#folder !== undefined) {
			await rm(this.#folder, { recursive: true, force: true });
		}
	}
}
