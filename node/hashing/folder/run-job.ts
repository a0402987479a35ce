import { Folder } from '../../../protocol/index.ts';
import type { FolderLocation } from '../../storage/folder/folder-place.ts';
import { changesIn, compareFolder, type RecordedFolder } from './compare-folder.ts';
import {
	type ChunksToHash,
	checkUnchanged,
	type Draft,
	draftOf,
	hashChunks,
	hashFiles,
	seedOf,
} from './folder-jobs.ts';
import { digestsOfFiles, listFiles, piecesOfFiles } from './list-files.ts';
import { type EntriesToCheck, rightEntries } from './right-entries.ts';
import { tidyFolder } from './tidy-folder.ts';

/** A job that reads or hashes a folder. */
export type FolderJob =
	/** Reads the entries of a folder. @returns a {@link Draft} */
	| { readonly do: 'scan'; readonly root: string; readonly exclude: readonly string[] }
	/** Hashes the files of a folder. @returns {@link HashedFiles} */
	| { readonly do: 'files'; readonly draft: Draft }
	/** Checks that a folder has not changed since it was scanned. */
	| { readonly do: 'check'; readonly draft: Draft }
	/** Hashes chunks of any folder. @returns their digests, one after the other */
	| ({ readonly do: 'chunks'; readonly location: FolderLocation } & ChunksToHash)
	/** Compares a folder with its index. @returns {@link FolderDifferences} */
	| {
			readonly do: 'compare';
			readonly location: FolderLocation;
			/** The record of what an earlier download has put there. */
			readonly record: RecordedFolder | undefined;
	  }
	/** Finds the entries of an index that are right. @returns numbers of `EntryStamps` */
	| ({ readonly do: 'right' } & EntriesToCheck)
	/** Removes all but the wanted files from a folder that an earlier download has left. */
	| { readonly do: 'tidy'; readonly location: FolderLocation }
	/** Finds what has changed in a folder since it was recorded. @returns paths */
	| { readonly do: 'changes'; readonly root: string; readonly record: RecordedFolder }
	/** Lists the files of any folder. @returns an array of {@link ListedFile} */
	| { readonly do: 'list'; readonly root: string }
	/** Hashes files. @returns their digests, as {@link digestsOfFiles} */
	| { readonly do: 'digests'; readonly paths: readonly string[] }
	/** Hashes the pieces of files. @returns their digests, as {@link piecesOfFiles} */
	| {
			readonly do: 'pieces';
			readonly paths: readonly string[];
			/** Bytes of all files together. */
			readonly bytes: number;
			readonly pieceSize: number;
	  };

type OnBytes = (bytes: number) => void;

/** The index of a folder, and the digests of the chunks that have bytes of the index. */
export interface HashedFiles {
	readonly index: Uint8Array;
	readonly firstDigests: Uint8Array;
}

function folderAt({ seed, index }: FolderLocation): Folder {
	return new Folder(seed, index);
}

function files(draft: Draft, onBytes: OnBytes): HashedFiles {
	const folder = folderAt(draft.location);
	const index = hashFiles(draft, folder, onBytes);
	const { chunkSize } = draft.location.seed.layout;
	const location = { ...draft.location, index, seed: seedOf(folder.entries, index) };
	const end = Math.ceil(index.length / chunkSize);
	const first = { runs: [[0, end - 1] as const], passesUnreadable: false };
	return { index, firstDigests: hashChunks(location, first, () => {}) };
}

/**
 * Runs a job, with synchronous calls.
 *
 * @param onBytes called with the number of bytes hashed since the last call
 * @returns the result that {@link FolderJob} names
 * @throws errors of the file system, with the path; ShoalError
 */
export function runJob(job: FolderJob, onBytes: OnBytes): unknown {
	switch (job.do) {
		case 'scan':
			return draftOf(job.root, job.exclude);
		case 'files':
			return files(job.draft, onBytes);
		case 'check':
			return checkUnchanged(job.draft, folderAt(job.draft.location));
		case 'chunks':
			return hashChunks(job.location, job, onBytes);
		case 'compare':
			return compareFolder(job.location, folderAt(job.location), job.record, onBytes);
		case 'right':
			return rightEntries(job, onBytes);
		case 'tidy':
			return tidyFolder(job.location, folderAt(job.location));
		case 'changes':
			return changesIn(job.root, job.record);
		case 'list':
			return listFiles(job.root);
		case 'digests':
			return digestsOfFiles(job.paths, onBytes);
		case 'pieces':
			return piecesOfFiles(job.paths, job.pieceSize, onBytes);
	}
}
