import { createHash } from 'node:crypto';
import { makeZip, predictLength } from 'client-zip';
import {
	type Folder,
	type FolderEntry,
	type FolderPiece,
	type Seed,
	ShoalError,
	safeFileName,
} from '../../protocol/index.ts';
import { isZero } from '../storage/zeros.ts';
import { checkWhole } from '../streaming/content-reader.ts';
import { missingZip64Bytes, missingZip64Records } from '../util/zip-end.ts';
import { Cutter } from './cutter.ts';

/** The facts of an entry on which the length of an archive depends. A folder has no size. */
type ZipEntry = { readonly name: string } | { readonly name: string; readonly size: number };

/**
 * The date of each entry. Shared folders have no times, so the archive of a folder is always the
 * same.
 */
const DATE = new Date(1980, 0, 1);
const FOLDER_MODE = 0o755;
const MODES = { f: 0o644, x: 0o755 } as const;
/** Bytes of the largest file that is read into memory as a whole. */
const SMALL = 256 * 1024;
/** Bytes that are gathered before they are passed on. */
const BATCH = 64 * 1024;
/** Bytes of a record of the central directory without the name, in archives below 4 GiB. */
const RECORD = 46;

/** The lengths of archives that were computed before, because that takes a while. */
const lengths = new WeakMap<Seed, number>();

/** Bytes of the archive of a folder. */
export function zipLength(seed: Seed, folder: Folder): number {
	const length = lengths.get(seed) ?? computeLength(seed.name, folder);
	lengths.set(seed, length);
	return length;
}

/**
 * The archive of a folder, without compression: files and empty folders, below the name of the
 * folder. Symbolic links are left out. The digest of each file is checked. If a read or a check
 * fails, the archive stays incomplete.
 *
 * @param content the bytes of the content after its index
 * @throws ShoalError ERR_SEED_LIES, ERR_SEED, and the errors of `content`
 */
export async function* zipFolder(
	seed: Seed,
	folder: Folder,
	content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
	const entries = countEntries(folder);
	const files = leavable(filesOf(seed, folder, content));
	const archive: unknown = makeZip(files, { buffersAreUTF8: true });
	let batch: Uint8Array[] = [];
	let bytes = 0;
	let last = new Uint8Array();
	for await (const chunk of archive as AsyncIterable<Uint8Array>) {
		batch.push(last);
		bytes += last.length;
		last = chunk as Uint8Array<ArrayBuffer>;
		if (bytes >= BATCH) {
			yield Buffer.concat(batch, bytes);
			batch = [];
			bytes = 0;
		}
	}
	yield Buffer.concat([...batch, missingZip64Records(last, entries) ?? new Uint8Array(), last]);
}

function computeLength(name: string, folder: Folder): number {
	const length = Number(predictLength(metadataOf(name, folder)));
	let directory = 0;
	for (const entry of metadataOf(name, folder)) {
		directory += RECORD + Buffer.byteLength(entry.name);
	}
	return length + missingZip64Bytes(length, directory, countEntries(folder));
}

/** Number of entries of the archive. If nothing is kept, the folder itself is the only entry. */
function countEntries({ entries }: Folder): number {
	return Math.max(1, entries.filter(isKept).length);
}

/** The facts from which the length of the archive follows: names, and the sizes of files. */
function* metadataOf(folderName: string, { entries }: Folder): Generator<ZipEntry> {
	const root = safeFileName(folderName);
	if (!entries.some(isKept)) {
		yield { name: `${root}/` };
	}
	for (const { path, kind, length } of entries.filter(isKept)) {
		const name = `${root}/${path}`;
		yield kind === 'd' ? { name: `${name}/` } : { name, size: length };
	}
}

function isKept({ kind }: FolderEntry): boolean {
	return kind !== 'l';
}

/** The files and empty folders of a folder, in the form that client-zip takes. */
async function* filesOf(seed: Seed, folder: Folder, content: AsyncIterable<Uint8Array>) {
	const { entries, pieces } = folder;
	const root = safeFileName(seed.name);
	const cutter = new Cutter(content);
	const paddings = paddingsOf(pieces);
	try {
		for (const entry of entries) {
			const { path, kind, length } = entry;
			const name = `${root}/${path}`;
			await skipZeros(cutter, paddings.get(entry) ?? 0);
			if (kind === 'd') {
				yield folderAt(name);
			} else if (kind === 'l') {
				await cutter.skip(length);
			} else {
				const input = await inputOf(seed, entry, cutter);
				yield { name: bytesOf(name), input, size: length, lastModified: DATE, mode: MODES[kind] };
			}
		}
		if (!entries.some(isKept)) {
			yield folderAt(root);
		}
	} finally {
		await cutter.close();
	}
}

function folderAt(name: string) {
	return { name: bytesOf(`${name}/`), lastModified: DATE, mode: FOLDER_MODE };
}

/** `items` for client-zip. It calls `throw` when its reader stops early, which is no error here. */
function leavable<T>(items: AsyncGenerator<T>): AsyncIterable<T> {
	const iterator = { next: () => items.next(), throw: () => items.return(undefined) };
	return { [Symbol.asyncIterator]: () => iterator };
}

/**
 * A name for client-zip, which keeps all names until the end. Small Buffers share blocks of memory.
 */
function bytesOf(name: string): Uint8Array {
	return Buffer.from(name);
}

/** The number of zeros before each entry that has zeros before it. */
function paddingsOf(pieces: readonly FolderPiece[]): Map<FolderEntry | undefined, number> {
	const zeros = pieces.flatMap(({ entry, length }, at) => {
		return entry === undefined ? [[pieces[at + 1]?.entry, length] as const] : [];
	});
	return new Map(zeros);
}

/** @throws ShoalError ERR_SEED */
async function skipZeros(cutter: Cutter, length: number): Promise<void> {
	for await (const bytes of cutter.take(length)) {
		if (!isZero(bytes)) {
			throw new ShoalError(
				'ERR_SEED',
				'the seed is wrong: the bytes between the files of this folder must be zeros, and are not; ask for another seed',
			);
		}
	}
}

/** The bytes of a file. The digest of a large one is checked after its last byte. */
async function inputOf(
	seed: Seed,
	{ path, length, digest }: FolderEntry,
	cutter: Cutter,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
	const file = { seed, path, digest };
	if (length > SMALL) {
		return checked(file, cutter.take(length));
	}
	const bytes = await cutter.read(length);
	checkWhole(file, createHash('sha256').update(bytes));
	return bytes;
}

async function* checked(
	file: { readonly seed: Seed; readonly path: string; readonly digest: string },
	bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
	const hash = createHash('sha256');
	for await (const each of bytes) {
		hash.update(each);
		yield each;
	}
	checkWhole(file, hash);
}
