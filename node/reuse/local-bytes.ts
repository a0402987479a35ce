import { join } from 'node:path';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { Seed } from '../../protocol/index.ts';
import { folderSeedOf } from '../hashing/folder/make-folder.ts';
import type { SeedCache } from '../hashing/seed-cache.ts';
import type { StoredContent } from '../storage/content-store.ts';
import { heldTable } from './held-table.ts';
import type { Finder, KnownBytes } from './known-bytes.ts';
import type { KnownDigests, SourceHead } from './known-table.ts';
import { makeTable } from './known-table-thread.ts';
import { type LikeFiles, listLike } from './like-paths.ts';
import { searchLike } from './like-search.ts';
import { openFile, openFolder } from './open-known.ts';
import { type OpenSource, OpenSources } from './open-sources.ts';
import { searchTable } from './search-table.ts';

/** Options of {@link LocalBytes}. */
export interface LocalBytesOptions {
	/** Returns the contents of the node. The content that is downloaded is not searched. */
	readonly held: () => readonly StoredContent[];
	/** The seeds of files and folders that were shared or downloaded before. @default none */
	readonly cache?: SeedCache | undefined;
	/** Paths of files and folders that may have bytes of the content. @default none */
	readonly like?: readonly string[] | undefined;
	/** Called if a path of `like` cannot be read. */
	readonly warn: (error: unknown) => void;
}

/** Bytes. If less is missing, it is fetched: to search the cache would take longer. */
const WORTH = 1024 * 1024;

/**
 * Finds bytes of a content on this machine: in other contents of the node, in what a seed cache
 * remembers, and at paths that the user has named.
 */
export class LocalBytes implements KnownBytes {
	readonly #options: LocalBytesOptions;
	/** The table of the cache. It is made once, when it is first needed. */
	#table: Promise<KnownDigests | undefined> | undefined;
	readonly #listings = new Map<string, Promise<LikeFiles>>();

	constructor(options: LocalBytesOptions) {
		this.#options = options;
	}

	async *search(
		content: StoredContent,
		missing: () => readonly number[],
		signal: AbortSignal,
	): AsyncGenerator<Finder> {
		const { held, cache, like = [], warn } = this.#options;
		const others = heldTable(held().filter(({ seed }) => seed.id !== content.seed.id));
		yield* searchTable(content, others.table, others.open);
		const table = await this.#tableFor(content.seed, missing().length, signal);
		if (table !== undefined) {
			yield* searchTable(content, table, (source) => openKnown(source, cache), true);
		}
		for (const path of like) {
			const sources = new OpenSources((source) => openKnown(source, cache));
			try {
				const files = await this.#filesAt(path, signal);
				yield* searchLike(files, content, missing, { sources, signal });
			} catch (error) {
				signal.throwIfAborted();
				warn(error);
			} finally {
				await sources.close();
			}
		}
	}

	async wholeFiles(seed: Seed, signal: AbortSignal): Promise<string[]> {
		const { like = [] } = this.#options;
		const table = await this.#tableFor(seed, seed.chunks, signal);
		const known = table?.file(hexToBytes(seed.digest)) ?? [];
		const paths = known.flatMap(({ source }) => (source.isFolder ? [] : [source.path]));
		for (const path of like) {
			// The search reports a path that cannot be read.
			const { root, files } = await this.#filesAt(path, signal).catch(() => NO_FILES);
			const same = files.filter(({ length }) => length === seed.length);
			paths.push(...same.map((file) => join(root, file.path)));
		}
		return paths;
	}

	/** The files at a path of `like`, or below it. They are listed once. */
	async #filesAt(path: string, signal: AbortSignal): Promise<LikeFiles> {
		const listing = this.#listings.get(path) ?? listLike(path, { signal });
		this.#listings.set(path, listing);
		return await listing;
	}

	/** The table of the cache. Undefined if so few `chunks` of `seed` are not worth a search. */
	async #tableFor(
		{ kind, layout }: Seed,
		chunks: number,
		signal: AbortSignal,
	): Promise<KnownDigests | undefined> {
		const { cache } = this.#options;
		const isWorth = kind === 'sha256' && chunks * layout.chunkSize >= WORTH;
		if (cache === undefined || !isWorth || (await cache.isEmpty())) {
			return undefined;
		}
		this.#table ??= makeTable(cache, signal);
		return await this.#table;
	}
}

const NO_FILES: LikeFiles = { root: '', files: [], isNamed: false };

/** Opens a file, or a folder that the cache remembers. @throws errors of the file system */
async function openKnown(
	{ path, isFolder }: SourceHead,
	cache: SeedCache | undefined,
): Promise<OpenSource> {
	if (!isFolder) {
		return openFile(path);
	}
	const known = await cache?.findFolder(path, 'content');
	if (known === undefined) {
		throw Object.assign(new Error('the index of the folder is gone'), { code: 'ENOENT' });
	}
	return openFolder({ root: path, seed: folderSeedOf(known.seed), index: known.index });
}
