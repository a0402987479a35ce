import { createHash } from 'node:crypto';
import { fstatSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import {
	chooseFolderChunkSize,
	digestOf,
	type Folder,
	type FolderEntry,
	type FolderSeed,
	folderLength,
	formatIndex,
} from '../../../protocol/index.ts';
import { ContentFiles } from '../../storage/content-files.ts';
import { stampOf } from '../../storage/file-stamp.ts';
import { type FolderLocation, FolderPlace } from '../../storage/folder/folder-place.ts';
import { globMatcher } from '../../util/globs.ts';
import { namesOf } from './compare-folder.ts';
import { type OddEntry, scanFolder } from './scan-folder.ts';

// The steps in which the seed of a folder is made. They run in a worker, with synchronous calls.

/** A folder whose entries are known, and whose bytes were not read yet. */
export interface Draft {
	/** Where its files are; the index has no digests yet. */
	readonly location: FolderLocation;
	/** The stamp of each entry, in the order of the index. */
	readonly stamps: readonly string[];
	/** ms since 1970: the latest change of an entry. */
	readonly changedAt: number;
	readonly odd: readonly OddEntry[];
}

const BLOCK = 1024 * 1024;
const EMPTY = createHash('sha256').digest('hex');
/** The digest in the index of a draft; the lines have their final length. */
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
	const index = formatIndex(entries);
	return {
		location: { root, seed: seedOf(entries, index), index, ...namesOf(scan.entries) },
		stamps: scan.entries.map(({ stamp }) => stamp),
		changedAt: scan.entries.reduce((latest, { changedAt }) => Math.max(latest, changedAt), 0),
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
	const digests = new Map<string, string>();
	const stampsOf = stampsByPath(folder, stamps);
	try {
		for (const [number, { entry, offset, length }] of folder.pieces.entries()) {
			if (entry === undefined) {
				continue;
			}
			const hash = createHash('sha256');
			for (let done = 0; done < length; ) {
				const bytes = block.subarray(0, Math.min(BLOCK, length - done));
				files.read(offset + done, bytes);
				hash.update(bytes);
				done += bytes.length;
				onBytes(bytes.length);
			}
			if (entry.kind !== 'l') {
				const found = fstatSync(place.open(number), { bigint: true });
				checkStamp(place.pathOf(number), stampOf(found), stampsOf.get(entry.path));
			}
			digests.set(entry.path, hash.digest('hex'));
		}
	} finally {
		files.close();
	}
	const entries = folder.entries.map((entry) => ({
		...entry,
		digest: digests.get(entry.path) ?? EMPTY,
	}));
	return formatIndex(entries);
}

/** Chunks to hash. */
export interface ChunksToHash {
	/** The first and the last of each run, ascending. */
	readonly runs: ReadonlyArray<readonly [first: number, last: number]>;
	/**
	 * Whether a chunk that cannot be read gets a digest of zeros, which no chunk has, because files
	 * may be missing. Otherwise the error is thrown.
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
			if (passesUnreadable) {
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

/** Checks that no entry has changed since the draft. @throws ECHANGED, with the path */
export function checkUnchanged({ location: { root, names }, stamps }: Draft, folder: Folder): void {
	for (const [number, { path }] of folder.entries.entries()) {
		const full = join(root, names?.get(path) ?? path);
		const found = lstatSync(full, { bigint: true, throwIfNoEntry: false });
		checkStamp(full, found && stampOf(found), stamps[number]);
	}
}

/** The stamps of the entries of a folder, by path. */
export function stampsByPath({ entries }: Folder, stamps: readonly string[]): Map<string, string> {
	return new Map(entries.map(({ path }, number) => [path, stamps[number] as string]));
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

function checkStamp(path: string, stamp: string | undefined, expected: string | undefined): void {
	if (stamp !== expected) {
		throw Object.assign(new Error('it has changed'), { code: 'ECHANGED', path });
	}
}
