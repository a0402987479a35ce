import { createHash } from 'node:crypto';
import { fstatSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import {
	chooseFolderChunkSize,
	digestOf,
	type Folder,
	type FolderEntry,
	type FolderPiece,
	type FolderSeed,
	folderLength,
	formatIndex,
	MAX_LENGTH,
	ShoalError,
	shared,
} from '../../../protocol/index.ts';
import { ContentFiles } from '../../storage/content-files.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import { type FolderLocation, FolderPlace } from '../../storage/folder/folder-place.ts';
import { globMatcher } from '../../util/globs.ts';
import { namesOf } from './compare-folder.ts';
import { type OddEntry, scanFolder } from './scan-folder.ts';

// The steps in which the seed of a folder is made. They run in a worker, with synchronous calls.

/** A folder of which the entries are known, but no bytes were read yet. */
export interface Draft {
	/** Where its files are; the index has no digests yet. */
	readonly location: FolderLocation;
	/** The numbers of {@link EntryStamps}. */
	readonly stamps: BigUint64Array;
	readonly odd: readonly OddEntry[];
}

const BLOCK = 1024 * 1024;
const LF = 0x0a;
/**
 * Error codes which say that a file is missing, cannot be read, or has something else in its place.
 */
const MISSING = new Set([
	'ENOENT',
	'ENOTDIR',
	'EISDIR',
	'ELOOP',
	'ESHORT',
	'EIO',
	'ENXIO',
	'ESPIPE',
]);
const EMPTY = createHash('sha256').digest('hex');
/**
 * Stands for each digest in the index of a draft, so that each line already has its final length.
 */
const UNKNOWN = '0'.repeat(64);

/**
 * Reads which entries a folder has.
 *
 * @param exclude globs of entries to leave out
 * @throws errors of the file system; ShoalError ERR_LIMIT if it has too many entries
 */
export function draftOf(root: string, exclude: readonly string[]): Draft {
	const scan = scanFolder(root, exclude.length > 0 ? globMatcher(exclude) : undefined);
	const entries = scan.entries.map(({ path, kind, length }) => {
		return { path, kind, length, digest: length === 0 ? EMPTY : UNKNOWN };
	});
	const index = shared(formatIndex(entries));
	const seed = seedOf(entries, index);
	if (seed.length > MAX_LENGTH) {
		throw new ShoalError(
			'ERR_LIMIT',
			`the folder is too large: its files have ${seed.length} bytes, of ${MAX_LENGTH} at most; share parts of it`,
		);
	}
	return {
		location: { root, seed, index, ...namesOf(scan.entries) },
		stamps: scan.stamps.numbers,
		odd: scan.odd,
	};
}

/**
 * Hashes the files of a folder.
 *
 * @param onBytes called with the number of bytes hashed since the last call
 * @returns the index
 * @throws errors of the file system, with the path
 */
export function hashFiles(
	{ location, stamps }: Draft,
	folder: Folder,
	onBytes: (bytes: number) => void,
): Uint8Array {
	const place = new FolderPlace(location, { folder, isWritable: false });
	const files = new ContentFiles(place);
	const block = Buffer.allocUnsafeSlow(BLOCK);
	const expected = new EntryStamps(stamps);
	const index = Buffer.from(location.index);
	// Each line of the index starts with the digest, which has the same length in the draft.
	let line = index.indexOf(LF) + 1;
	let number = 0;
	try {
		for (const [at, { length, kind }] of folder.entries.entries()) {
			if (length > 0) {
				while (folder.pieces[number]?.entry === undefined) {
					number += 1;
				}
				const { offset } = folder.pieces[number] as FolderPiece;
				const hash = createHash('sha256');
				for (let done = 0; done < length; ) {
					const bytes = block.subarray(0, Math.min(BLOCK, length - done));
					files.read(offset + done, bytes);
					hash.update(bytes);
					done += bytes.length;
					onBytes(bytes.length);
				}
				if (kind !== 'l') {
					const found = fstatSync(place.open(number), { bigint: true });
					checkStamp(place.pathOf(number), expected.isSame(at, found));
				}
				index.write(hash.digest('hex'), line, 'latin1');
				number += 1;
			}
			line = index.indexOf(LF, line) + 1;
		}
	} finally {
		files.close();
	}
	return index;
}

/** Chunks to hash. */
export interface ChunksToHash {
	/** The first and the last of each run, ascending. */
	readonly runs: ReadonlyArray<readonly [first: number, last: number]>;
	/**
	 * The treatment of a chunk that the disk cannot read, or of which a file is missing. True: the
	 * chunk gets a digest of zeros, which no chunk has. False: the error is thrown.
	 */
	readonly passesUnreadable: boolean;
}

/** The digests of chunks of a folder, one after the other. @throws errors of the file system */
export function hashChunks(
	location: FolderLocation,
	{ runs, passesUnreadable }: ChunksToHash,
	onBytes: (bytes: number) => void,
): Uint8Array {
	const { length, layout } = location.seed;
	const files = new ContentFiles(new FolderPlace(location, { isWritable: false }));
	const block = Buffer.allocUnsafeSlow(layout.chunkSize);
	const digests: Uint8Array[] = [];
	const digestOfChunk = (chunk: number): Uint8Array => {
		const offset = chunk * layout.chunkSize;
		const bytes = block.subarray(0, Math.min(layout.chunkSize, length - offset));
		try {
			files.read(offset, bytes);
			return createHash('sha256').update(bytes).digest();
		} catch (error) {
			if (passesUnreadable && isMissing(error)) {
				return new Uint8Array(32);
			}
			throw error;
		} finally {
			onBytes(bytes.length);
		}
	};
	try {
		for (const [first, last] of runs) {
			for (let chunk = first; chunk <= last; chunk += 1) {
				digests.push(digestOfChunk(chunk));
			}
		}
	} finally {
		files.close();
	}
	return Buffer.concat(digests);
}

/**
 * Whether an error means that bytes are missing. Other errors are temporary: the system lacks a
 * resource.
 */
function isMissing(error: unknown): boolean {
	const { code = '' } = error as NodeJS.ErrnoException;
	return MISSING.has(code);
}

/** Checks that no entry has changed since the draft. @throws ECHANGED, with the path */
export function checkUnchanged({ location: { root, names }, stamps }: Draft, folder: Folder): void {
	const expected = new EntryStamps(stamps);
	for (const [number, { path }] of folder.entries.entries()) {
		const full = join(root, names?.get(path) ?? path);
		const found = lstatSync(full, { bigint: true, throwIfNoEntry: false });
		checkStamp(full, expected.isSame(number, found));
	}
}

/** The seed of an index, as far as a {@link Folder} needs it. */
export function seedOf(entries: readonly FolderEntry[], index: Uint8Array): FolderSeed {
	const chunkSize = chooseFolderChunkSize(entries, index.length);
	return {
		id: '',
		length: folderLength(entries, index.length, chunkSize),
		index: index.length,
		digest: Buffer.from(digestOf('sha256', index)).toString('hex'),
		layout: { chunkSize },
	};
}

function checkStamp(path: string, isSame: boolean): void {
	if (!isSame) {
		throw Object.assign(new Error('it has changed'), { code: 'ECHANGED', path });
	}
}
