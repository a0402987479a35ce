import type { StoredContent } from '../storage/content-store.ts';
import type { Candidate, Finder } from './known-bytes.ts';
import type { SourceHead } from './known-table.ts';
import type { OpenSources } from './open-sources.ts';

/** Finds the chunks of a file at the same offsets of other files, which need not be hashed. */
export class PlaceFinder implements Finder {
	readonly #content: StoredContent;
	readonly #files: readonly SourceHead[];
	readonly #sources: OpenSources;

	/** @param files the other files, with the chunk size of the content */
	constructor(content: StoredContent, files: readonly SourceHead[], sources: OpenSources) {
		this.#content = content;
		this.#files = files;
		this.#sources = sources;
	}

	*candidates(chunk: number): Generator<Candidate> {
		const { layout } = this.#content.seed;
		const end = layout.offsetOf(chunk) + layout.sizeOf(chunk);
		for (const source of this.#files) {
			if (source.length >= end && this.#sources.isWorth(source, chunk)) {
				yield {
					origin: 'known',
					read: (into) => this.#sources.readChunk(source, chunk, into),
					onResult: (isRight) => this.#sources.onResult(source, isRight),
				};
			}
		}
	}
}
