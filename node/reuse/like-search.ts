import { basename, join } from 'node:path';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type Folder, isFile, type Seed } from '../../protocol/index.ts';
import { FolderThread } from '../hashing/folder/folder-thread.ts';
import type { ListedFile } from '../hashing/folder/list-files.ts';
import type { HashOptions } from '../hashing/hasher.ts';
import type { StoredContent } from '../storage/content-store.ts';
import type { Finder } from './known-bytes.ts';
import type { KnownSource } from './known-source.ts';
import { KnownTable, type SourceHead } from './known-table.ts';
import type { LikeFiles } from './like-paths.ts';
import type { OpenSources } from './open-sources.ts';
import { PlaceFinder } from './place-finder.ts';
import { TableFinder } from './table-finder.ts';
import { zerosDigest } from './zeros-digest.ts';

/** Stands for the digest of a file if only the digests of its chunks are known. */
const UNKNOWN = '0'.repeat(64);
/** Maximum number of files that are hashed before their chunks are looked up. */
const MOST_FILES = 10_000;

/**
 * Searches files for chunks of a content. If the content is a file, the
 * first step tries the chunks at the same offsets of likely files, which are not hashed. If the
 * content is a folder, the first step looks for whole files of the folder. The other steps look for
 * chunks at any multiple of the chunk size.
 *
 * @param missing returns the chunks that are missing now
 * @throws ShoalError ERR_IO, ERR_ABORTED
 */
export async function* searchLike(
	like: LikeFiles,
	content: StoredContent,
	missing: () => readonly number[],
	{ sources, ...options }: HashOptions & { readonly sources: OpenSources },
): AsyncGenerator<Finder> {
	const thread = new FolderThread(like.root, options);
	const { seed, folder } = content;
	const finderOf = (known: readonly KnownSource[]): Finder =>
		new TableFinder(content, KnownTable.of(known, zerosDigest), sources);
	try {
		if (folder === undefined) {
			const same = like.files.filter((file) => isLikely(file, like, seed));
			const heads = same.map((file) => headOf(file, like, seed));
			yield new PlaceFinder(content, heads, sources);
		} else {
			yield finderOf(await wholeFiles(like, folder, seed, thread));
		}
		if (seed.kind === 'sha256') {
			for (const batch of batchesOf(like.files, seed, missing)) {
				yield finderOf(await hashedFiles(batch, like, seed, thread));
			}
		}
	} finally {
		await thread.close();
	}
}

/**
 * Divides the files that can have a whole chunk into batches. A file that is shorter than a chunk
 * can only have the last one, which may be shorter too. The files of a batch together have as
 * many chunks as are missing. If the first batches have all missing chunks, the other files are not
 * hashed. The missing chunks are looked up once for each batch, not once for each file.
 */
function* batchesOf(
	files: readonly ListedFile[],
	{ length, layout: { chunkSize } }: Seed,
	missing: () => readonly number[],
): Generator<ListedFile[]> {
	const lastSize = length % chunkSize || chunkSize;
	const left = files
		.filter((file) => file.length >= chunkSize || file.length === lastSize)
		.values();
	let isOver = false;
	for (let most = missing().length; most > 0 && !isOver; most = missing().length) {
		const batch: ListedFile[] = [];
		for (let chunks = 0; chunks < most && batch.length < MOST_FILES && !isOver; ) {
			const { value, done = false } = left.next();
			isOver = done;
			if (value !== undefined) {
				batch.push(value);
				chunks += Math.ceil(value.length / chunkSize);
			}
		}
		if (batch.length > 0) {
			yield batch;
		}
	}
}

/** Whether a file may be a version of the content. Its chunks are then tried without hashing. */
function isLikely({ path, length }: ListedFile, { isNamed }: LikeFiles, seed: Seed): boolean {
	return isNamed || length === seed.length || basename(path) === seed.name;
}

function headOf({ path, length }: ListedFile, { root }: LikeFiles, { layout }: Seed): SourceHead {
	const about = { path: join(root, path), length, chunkSize: layout.chunkSize };
	return { ...about, isFolder: false, firstChunk: 0, firstFile: 0 };
}

/** The files that are as long as some file of the folder, and their digests. */
async function wholeFiles(
	like: LikeFiles,
	folder: Folder,
	seed: Seed,
	thread: FolderThread,
): Promise<KnownSource[]> {
	const lengths = new Set(folder.entries.filter(isFile).map(({ length }) => length));
	const same = like.files.filter(({ length }) => length > 0 && lengths.has(length));
	const paths = same.map(({ path }) => join(like.root, path));
	const digests = await thread.run<Uint8Array>({ do: 'digests', paths });
	return same.map((file, at) => {
		const { path, length, chunkSize } = headOf(file, like, seed);
		const digest = bytesToHex(digests.subarray(at * 32, at * 32 + 32));
		return { path, length, chunkSize, chunkDigests: new Uint8Array(), digest };
	});
}

/** Some files, and the digests of their chunks: none for a file that cannot be read. */
async function hashedFiles(
	files: readonly ListedFile[],
	like: LikeFiles,
	seed: Seed,
	thread: FolderThread,
): Promise<KnownSource[]> {
	const heads = files.map((file) => headOf(file, like, seed));
	const paths = heads.map(({ path }) => path);
	const bytes = heads.reduce((sum, { length }) => sum + length, 0);
	const pieceSize = seed.layout.chunkSize;
	const digests = await thread.run<Uint8Array[]>({ do: 'pieces', paths, bytes, pieceSize });
	return heads.map(({ path, length, chunkSize }, at) => {
		return { path, length, chunkSize, chunkDigests: digests[at] as Uint8Array, digest: UNKNOWN };
	});
}
