import { basename, join } from 'node:path';
import { isFile, type Seed } from '../../protocol/index.ts';
import type { ListedFile } from '../hashing/folder/list-files.ts';
import { type HashOptions, hashPieces } from '../hashing/hasher.ts';
import type { StoredContent } from '../storage/content-store.ts';
import type { Finder } from './known-bytes.ts';
import type { KnownSource } from './known-source.ts';
import { KnownTable, type SourceHead } from './known-table.ts';
import { hashLike, type LikeFiles, listLike } from './like-paths.ts';
import type { OpenSources } from './open-sources.ts';
import { PlaceFinder } from './place-finder.ts';
import { TableFinder } from './table-finder.ts';
import { zerosDigest } from './zeros-digest.ts';

/** The digest of a file of which only the digests of its chunks are known. */
const UNKNOWN = '0'.repeat(64);

/**
 * Searches the files at `path`, or below it, for chunks of a content: first what can be tried
 * without hashing, then whole files of a folder, then chunks at any multiple of the chunk size.
 *
 * @param missing the chunks that are missing when a step begins
 * @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_ABORTED
 */
export async function* searchLike(
	path: string,
	content: StoredContent,
	missing: () => readonly number[],
	{ sources, ...options }: HashOptions & { readonly sources: OpenSources },
): AsyncGenerator<Finder> {
	const like = await listLike(path, options);
	const { seed, folder } = content;
	if (folder === undefined) {
		const same = like.files.filter((file) => isLikely(file, like, seed));
		yield new PlaceFinder(
			content,
			same.map((file) => headOf(file, like, seed)),
			sources,
		);
	} else {
		const lengths = new Set(folder.entries.filter(isFile).map(({ length }) => length));
		const same = like.files.filter(({ length }) => length > 0 && lengths.has(length));
		const digests = await hashLike(like, same, options);
		const known = same.map((file, at) =>
			wholeFile(file, like, seed, digests.subarray(at * 32, at * 32 + 32)),
		);
		yield new TableFinder(content, KnownTable.of(known, zerosDigest), sources);
	}
	const { chunkSize } = seed.layout;
	for (const file of like.files) {
		const isLarge = file.length >= chunkSize || file.length === seed.length;
		if (isLarge && missing().length > 0) {
			const source = await hashedFile(file, like, seed, options);
			yield new TableFinder(content, KnownTable.of(source, zerosDigest), sources);
		}
	}
}

/** Whether a file is perhaps a version of the content, so that its chunks are tried unhashed. */
function isLikely({ path, length }: ListedFile, { isNamed }: LikeFiles, seed: Seed): boolean {
	return isNamed || length === seed.length || basename(path) === seed.name;
}

function headOf({ path, length }: ListedFile, { root }: LikeFiles, { layout }: Seed): SourceHead {
	const about = { path: join(root, path), length, chunkSize: layout.chunkSize };
	return { ...about, isFolder: false, firstChunk: 0, firstFile: 0 };
}

/** A file of which the digest of the whole is known. */
function wholeFile(file: ListedFile, like: LikeFiles, seed: Seed, digest: Uint8Array): KnownSource {
	const { path, length, chunkSize } = headOf(file, like, seed);
	const chunkDigests = new Uint8Array();
	return { path, length, chunkSize, chunkDigests, digest: Buffer.from(digest).toString('hex') };
}

/** A file of which the digests of the chunks are known; nothing if it cannot be read. */
async function hashedFile(
	file: ListedFile,
	like: LikeFiles,
	seed: Seed,
	options: HashOptions,
): Promise<KnownSource[]> {
	const { path, length, chunkSize } = headOf(file, like, seed);
	try {
		const job = { path, kind: 'sha256', pieceSize: chunkSize, passesUnreadable: true } as const;
		const chunkDigests = await hashPieces(job, options);
		return [{ path, length, chunkSize, chunkDigests, digest: UNKNOWN }];
	} catch {
		options.signal?.throwIfAborted();
		return [];
	}
}
