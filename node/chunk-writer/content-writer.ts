import { createHash } from 'node:crypto';
import type { DigestKind } from '../../protocol/index.ts';
import type { ContentFiles } from '../storage/content-files.ts';
import { stretch } from '../storage/segments.ts';
import { runsOf } from './verified-runs.ts';

/** The content that a {@link ContentWriter} writes. It can be sent to a thread. */
export interface WritableContent {
	readonly kind: DigestKind;
	/** Bytes of the content, and of each chunk but the last. */
	readonly length: number;
	readonly chunkSize: number;
	/** The digests of the chunks, one after the other. */
	readonly digests: Uint8Array;
}

/** Verifies and stores the chunks of one content with synchronous calls. */
export class ContentWriter {
	readonly #content: WritableContent;
	readonly #files: ContentFiles;

	constructor(content: WritableContent, files: ContentFiles) {
		this.#content = content;
		this.#files = files;
	}

	/**
	 * Verifies and stores `count` chunks, from chunk `first` on, as {@link ChunkWriter.write} does.
	 *
	 * @throws errors of the file system
	 */
	write(first: number, count: number, segments: readonly Uint8Array[]): boolean[] {
		const { chunkSize, length } = this.#content;
		const start = first * chunkSize;
		const bytesOf = (chunk: number, chunks: number): Uint8Array[] => {
			const from = chunk * chunkSize;
			return stretch(segments, from - start, Math.min(chunks * chunkSize, length - from));
		};
		const good = Array.from({ length: count }, (_, index) =>
			this.#isRight(first + index, bytesOf(first + index, 1)),
		);
		for (const run of runsOf(first, good)) {
			if (run.isGood) {
				this.#files.write(run.first * chunkSize, bytesOf(run.first, run.count));
			}
		}
		return good;
	}

	/** From now on, zeros are written too: the disk does not return what was stored. */
	fillHoles(): void {
		this.#files.fillsHoles = true;
	}

	/** Closes the files that were opened for writing. @throws errors of the file system */
	close(): void {
		this.#files.close();
	}

	#isRight(chunk: number, bytes: readonly Uint8Array[]): boolean {
		const { kind, digests } = this.#content;
		const hash = createHash(kind);
		for (const each of bytes) {
			hash.update(each);
		}
		const digest = hash.digest();
		const at = chunk * digest.length;
		return digest.equals(digests.subarray(at, at + digest.length));
	}
}
