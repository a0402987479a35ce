import { createHash, type Hash } from 'node:crypto';
import { Folder, type Layout, quoted, ShoalError } from '../../protocol/index.ts';
import type { ContentSource } from '../download/content-source.ts';
import type { ChunkRun } from '../engine/chunk-run.ts';
import { type ContentRange, isWhole, type StreamedFile } from './content-range.ts';
import type { FolderCache } from './folder-cache.ts';

/** Maximum number of bytes that are read and yielded at a time. */
const PIECE = 256 * 1024;

/** Options of {@link readContent}. */
export interface ContentReaderOptions {
	/** Finds a source of the bytes: the stored content, or a download of it. */
	readonly find: () => Promise<ContentSource>;
	/**
	 * Called with the first source that is found.
	 *
	 * @returns the range to read
	 * @throws ShoalError ERR_RANGE, ERR_FOLDER, ERR_NOT_FOUND
	 */
	readonly open: (source: ContentSource) => Promise<ContentRange>;
	/** Bytes to be fetched ahead of the reader. */
	readonly readAhead: number;
}

/**
 * The bytes of a range in order, each chunk as soon as it is stored. If a source ends meanwhile,
 * because its file is no longer shared, or its download moves to another target or is stopped, the
 * generator looks for another source. If all of a content is read, and the digest of the whole is
 * wrong, the generator throws ERR_SEED_LIES at the end.
 *
 * @throws ShoalError ERR_SEED_LIES, ERR_RANGE, ERR_NO_SPACE, and the errors that end a download
 */
export async function* readContent({
	find,
	open,
	readAhead,
}: ContentReaderOptions): AsyncGenerator<Uint8Array> {
	let range: ContentRange | undefined;
	let hash: Hash | undefined;
	let done = 0;
	while (range === undefined || done < range.length) {
		const source = await find();
		try {
			range ??= await open(source);
			hash ??= isWhole(range) ? createHash(range.seed.kind) : undefined;
			const start = range.offset + range.start;
			const end = start + range.length;
			for await (const bytes of readAt(source, start + done, end, readAhead)) {
				hash?.update(bytes);
				done += bytes.length;
				yield bytes;
			}
		} finally {
			await source.leave();
		}
	}
	checkWhole(range, hash);
}

/**
 * The folder of a content; undefined if it is a file. Its index is fetched if it is not known.
 *
 * @param cache has the folders that were read before
 * @throws ShoalError ERR_SEED if the index is not safe, and the errors that end a download
 */
export async function readFolder(
	source: ContentSource,
	cache: FolderCache,
): Promise<Folder | undefined> {
	const { seed, folder: stored } = source.content;
	if (stored !== undefined || seed.index === undefined) {
		return stored;
	}
	const before = cache.get(seed.id);
	if (before !== undefined) {
		return before.folder;
	}
	const index = new Uint8Array(seed.index);
	let done = 0;
	for await (const bytes of readAt(source, 0, index.length, index.length)) {
		index.set(bytes, done);
		done += bytes.length;
	}
	// Another reader may have cached the folder meanwhile. That folder is used, because parsing an
	// index takes longer than fetching it.
	const folder = cache.get(seed.id)?.folder ?? new Folder(seed, index);
	cache.add({ seed, folder });
	return folder;
}

/** The bytes from `start` up to `end`, without `end`, as far as `source` provides them. */
async function* readAt(
	source: ContentSource,
	start: number,
	end: number,
	readAhead: number,
): AsyncGenerator<Uint8Array> {
	const { seed, storage } = source.content;
	const { layout } = seed;
	try {
		await source.expect(runOf(layout, start, end));
		for (let at = start; at < end; ) {
			await source.need(runOf(layout, at, Math.min(end, at + readAhead)));
			const chunk = layout.chunkAt(at);
			const length = Math.min(end, layout.offsetOf(chunk) + layout.sizeOf(chunk), at + PIECE) - at;
			const bytes = Buffer.allocUnsafeSlow(length);
			await storage.read(at, bytes);
			at += length;
			yield bytes;
		}
	} catch (error) {
		await source.failed(error);
	}
}

/** The chunks that contain the bytes from `start` up to `end`, without `end`. */
function runOf(layout: Layout, start: number, end: number): ChunkRun {
	if (start === end) {
		return { first: 0, count: 0 };
	}
	const first = layout.chunkAt(start);
	return { first, count: layout.chunkAt(end - 1) + 1 - first };
}

/**
 * Checks the digest of all bytes of a file.
 *
 * @param hash of the bytes; undefined: not all were read
 * @throws ShoalError ERR_SEED_LIES
 */
export function checkWhole(
	{ seed, path, digest }: Pick<StreamedFile, 'seed' | 'path' | 'digest'>,
	hash: Hash | undefined,
): void {
	if (hash !== undefined && hash.digest('hex') !== digest) {
		const what = path === undefined ? 'the whole' : quoted(path);
		throw new ShoalError(
			'ERR_SEED_LIES',
			`every chunk of seed ${seed.id} is right, but the digest of ${what} is not: the seed itself is wrong. Do not trust the bytes that were read; ask for another seed`,
		);
	}
}
