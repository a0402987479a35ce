import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FolderLocation } from '../../storage/folder/folder-place.ts';
import type { FolderJob } from './run-job.ts';

/**
 * A job takes less time than the start of a thread if the content has at most this many bytes, and
 * the folder at most this many entries.
 */
const FEW_BYTES = 1024 * 1024;
const FEW_ENTRIES = 200;
/** Bytes of an index with about {@link FEW_ENTRIES} entries. */
const SHORT_INDEX = FEW_ENTRIES * 100;

/** Whether a job takes so little time that it may run on the event loop. */
export function isQuick(job: FolderJob): boolean {
	switch (job.do) {
		case 'scan':
		case 'changes':
			return hasFewEntries(job.root);
		case 'compare':
		case 'tidy':
			return isSmall(job.location) && hasFewEntries(job.location.root);
		case 'files':
		case 'check':
			return isSmall(job.draft.location);
		case 'chunks':
			return isSmall(job.location);
		case 'pieces':
			return job.bytes <= FEW_BYTES && job.paths.length <= FEW_ENTRIES;
		case 'right':
			return job.bytes <= FEW_BYTES && job.index.length <= SHORT_INDEX;
		case 'list':
		case 'digests':
			return false;
	}
}

/** Bytes of an index of a folder that takes little memory. */
const MEDIUM_INDEX = 512 * 1024;

/**
 * Whether a thread has little garbage after a job, so that it may be kept for the next one. After
 * other jobs, the thread is ended, which frees its memory at once.
 */
export function needsLittleMemory(job: FolderJob): boolean {
	switch (job.do) {
		case 'compare':
		case 'tidy':
		case 'chunks':
			return job.location.index.length <= MEDIUM_INDEX;
		case 'files':
		case 'check':
			return job.draft.location.index.length <= MEDIUM_INDEX;
		case 'right':
			return job.index.length <= MEDIUM_INDEX;
		default:
			return false;
	}
}

function isSmall({ seed, index }: FolderLocation): boolean {
	return seed.length <= FEW_BYTES && index.length <= SHORT_INDEX;
}

/** Whether there are at most {@link FEW_ENTRIES} entries below `root`. */
function hasFewEntries(root: string): boolean {
	const folders = [root];
	let entries = 0;
	try {
		for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
			for (const entry of readdirSync(folder, { withFileTypes: true })) {
				entries += 1;
				if (entry.isDirectory()) {
					folders.push(join(folder, entry.name));
				}
			}
			if (entries > FEW_ENTRIES) {
				return false;
			}
		}
		return true;
	} catch {
		return false;
	}
}
