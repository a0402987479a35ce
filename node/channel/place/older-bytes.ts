import { join } from 'node:path';
import { formatIndex } from '../../../protocol/index.ts';
import type { Finder, KnownBytes } from '../../reuse/known-bytes.ts';
import { OlderFile, OlderFolder } from '../../reuse/older-version.ts';
import type { StoredContent } from '../../storage/content-store.ts';
import type { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import type { VersionContent } from './version-content.ts';

/** Searches several sources, one after the other. */
export class SeveralSources implements KnownBytes {
	readonly #sources: readonly KnownBytes[];

	constructor(sources: ReadonlyArray<KnownBytes | undefined>) {
		this.#sources = sources.filter((source) => source !== undefined);
	}

	async *search(
		content: StoredContent,
		missing: () => readonly number[],
		signal: AbortSignal,
	): AsyncGenerator<Finder> {
		for (const source of this.#sources) {
			yield* source.search(content, missing, signal);
		}
	}
}

/** Finds bytes of a version that is in the folder at `root`. */
export function olderBytes(
	root: string,
	{ seed, folder, index, entries }: VersionContent,
): KnownBytes {
	const { length, digest, layout } = seed;
	const { chunkSize } = layout;
	const chunks = { length, chunkSize, chunkDigests: seed.chunkDigests() };
	return folder === undefined
		? new OlderFile({ ...chunks, path: join(root, entries[0]?.path ?? ''), digest })
		: new OlderFolder(root, index, chunks);
}

/**
 * Finds bytes of those files of the next version that are in the folder at `root` already; undefined
 * if there are none.
 */
export function rightBytes(
	root: string,
	{ entries }: VersionContent,
	right: EntryStamps,
): KnownBytes | undefined {
	const there = entries.filter((_, number) => right.has(number));
	return there.length === 0 ? undefined : new OlderFolder(root, formatIndex(there));
}

/** Finds the bytes of a version that is a file in a file which may be the same. */
export function sameFile(path: string, { seed }: VersionContent): KnownBytes {
	const { length, digest, layout } = seed;
	const chunks = { chunkSize: layout.chunkSize, chunkDigests: seed.chunkDigests() };
	return new OlderFile({ ...chunks, path, length, digest });
}
