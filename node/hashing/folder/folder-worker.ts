import { parentPort } from 'node:worker_threads';
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
import { tidyFolder } from './tidy-folder.ts';

/** A job of the worker. */
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
	/** Removes from a folder that an earlier download has left what is no wanted file. */
	| { readonly do: 'tidy'; readonly location: FolderLocation }
	/** Finds what has changed in a folder since it was recorded. @returns paths */
	| { readonly do: 'changes'; readonly root: string; readonly record: RecordedFolder };

/** The index of a folder, and the digests of the chunks that have bytes of the index. */
export interface HashedFiles {
	readonly index: Uint8Array;
	readonly firstDigests: Uint8Array;
}

/** A report of the worker: bytes hashed since the last report, or the result or error of a job. */
export type FolderReport =
	| { readonly bytes: number }
	| { readonly result: unknown }
	| { readonly error: { readonly code: string; readonly message: string; readonly path?: string } };

const REPORT_EVERY = 4 * 1024 * 1024;

const report = (message: FolderReport): void => parentPort?.postMessage(message);
let bytes = 0;

const count = (more: number): void => {
	bytes += more;
	if (bytes >= REPORT_EVERY) {
		report({ bytes });
		bytes = 0;
	}
};

function folderAt({ seed, index }: FolderLocation): Folder {
	return new Folder(seed, index);
}

function files(draft: Draft): HashedFiles {
	const folder = folderAt(draft.location);
	const index = hashFiles(draft, folder, count);
	const { chunkSize } = draft.location.seed.layout;
	const location = { ...draft.location, index, seed: seedOf(folder.entries, index) };
	const end = Math.ceil(index.length / chunkSize);
	const first = { runs: [[0, end - 1] as const], passesUnreadable: false };
	return { index, firstDigests: hashChunks(location, first, () => {}) };
}

function run(job: FolderJob): unknown {
	switch (job.do) {
		case 'scan':
			return draftOf(job.root, job.exclude);
		case 'files':
			return files(job.draft);
		case 'check':
			return checkUnchanged(job.draft, folderAt(job.draft.location));
		case 'chunks':
			return hashChunks(job.location, job, count);
		case 'compare':
			return compareFolder(job.location, folderAt(job.location), job.record, count);
		case 'tidy':
			return tidyFolder(job.location, folderAt(job.location));
		case 'changes':
			return changesIn(job.root, job.record);
	}
}

parentPort?.on('message', (job: FolderJob) => {
	try {
		const result = run(job);
		if (bytes > 0) {
			report({ bytes });
			bytes = 0;
		}
		report({ result });
	} catch (error) {
		const { code = '', message, path } = error as NodeJS.ErrnoException;
		report({ error: { code, message, ...(path !== undefined && { path }) } });
	}
});
