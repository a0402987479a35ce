import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Folder } from '../../protocol/index.ts';
import { readFully, readFullyLater } from '../storage/content-files.ts';
import type { FolderLocation } from '../storage/folder/folder-place.ts';
import { FolderStorage } from '../storage/folder/folder-storage.ts';
import { READ_ONLY } from '../storage/regular-file.ts';
import { WarmReads } from '../storage/warm-reads.ts';
import type { OpenSource } from './open-sources.ts';

const warm = new WarmReads();

/**
 * A known file. The file is opened for each read, because there may be many known files, and most
 * of them are read only once.
 */
export function openFile(path: string): OpenSource {
	return {
		read: async (offset, into) => {
			const begun = performance.now();
			if (warm.isWarm(begun)) {
				readAtOnce(path, offset, into);
				const now = performance.now();
				warm.onRead(now - begun, now, into.length);
			} else {
				await readLater(path, offset, into);
			}
		},
		folder: undefined,
		close: async () => {},
	};
}

/** Opens a known folder. @throws ShoalError ERR_SEED if the index is not that of the seed */
export function openFolder({ root, seed, index }: FolderLocation): OpenSource {
	const folder = new Folder(seed, index);
	const storage = new FolderStorage({ root, seed, index: folder.index }, folder);
	return {
		read: (offset, into) => storage.read(offset, into),
		folder,
		close: () => storage.close(),
	};
}

function readAtOnce(path: string, offset: number, into: Uint8Array): void {
	const file = openSync(path, READ_ONLY);
	try {
		readFully(file, offset, into);
	} finally {
		closeSync(file);
	}
}

async function readLater(path: string, offset: number, into: Uint8Array): Promise<void> {
	const file = await open(path, READ_ONLY);
	try {
		await readFullyLater(file, offset, into);
	} finally {
		await file.close();
	}
}
