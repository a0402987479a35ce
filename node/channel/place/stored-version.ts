import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Bitfield } from '../../../protocol/index.ts';
import { selectedChunks } from '../../download/target/folder-selection.ts';
import { folderSeedOf } from '../../hashing/folder/make-folder.ts';
import type { StoredContent } from '../../storage/content-store.ts';
import { FileStorage } from '../../storage/file-storage.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import { FolderStorage } from '../../storage/folder/folder-storage.ts';
import type { VersionContent } from './version-content.ts';

/**
 * Opens the version in the folder at `root` for sharing, with those chunks whose files are all
 * right. Undefined if there is no such chunk.
 *
 * @param stamps the stamps of the entries that are right
 * @throws ShoalError the errors of the file system
 */
export async function openVersion(
	root: string,
	version: VersionContent,
	stamps: EntryStamps,
): Promise<StoredContent | undefined> {
	return version.folder === undefined
		? await openFile(root, version, stamps)
		: openFolder(root, version, stamps);
}

async function openFile(
	root: string,
	{ seed, entries }: VersionContent,
	stamps: EntryStamps,
): Promise<StoredContent | undefined> {
	const path = join(root, entries[0]?.path ?? '');
	const storage = await FileStorage.openToRead([{ path, length: seed.length }]);
	storage.guard();
	if (!stamps.isSame(0, lstatSync(path, { bigint: true, throwIfNoEntry: false }))) {
		await storage.close();
		return undefined;
	}
	return { seed, have: Bitfield.full(seed.chunks), storage };
}

function openFolder(
	root: string,
	{ seed, folder, index, entries }: VersionContent,
	right: EntryStamps,
): StoredContent | undefined {
	if (folder === undefined) {
		return undefined;
	}
	const links = new Map<string, Uint8Array>();
	const paths = new Set<string>();
	const stamps = new EntryStamps(entries.length);
	for (const [number, { path, kind }] of entries.entries()) {
		if (right.has(number)) {
			paths.add(path);
			if (kind === 'l') {
				links.set(path, readlinkSync(join(root, path), 'buffer'));
			}
			// A folder gets no stamp: people may add files to a folder that is empty in the version.
			if (kind !== 'd') {
				stamps.copy(number, right, number);
			}
		}
	}
	const have =
		paths.size === entries.length
			? Bitfield.full(seed.chunks)
			: selectedChunks(seed, folder, paths).whole;
	if (have.count === 0) {
		return undefined;
	}
	const location = { root, seed: folderSeedOf(seed), index, links };
	return { seed, folder, have, storage: new FolderStorage(location, folder, stamps) };
}
