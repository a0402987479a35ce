import { closeSync, constants, lstatSync, openSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
	type Folder,
	type FolderEntry,
	FolderPaths,
	quoted,
	ShoalError,
	whyNoLink,
} from '../../../protocol/index.ts';
import { ContentFiles } from '../../storage/content-files.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import { type FolderLocation, FolderPlace } from '../../storage/folder/folder-place.ts';
import { foreign, OwnFolders } from '../../storage/folder/own-folders.ts';
import { isOfKind } from './entry-kind.ts';

const { O_CREAT, O_EXCL, O_WRONLY } = constants;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A folder of which everything is on the disk. */
export interface FinishedFolder {
	/** The numbers of the {@link EntryStamps} of the entries that were made. */
	readonly stamps: BigUint64Array;
	/** The targets of the links, by path. */
	readonly links: ReadonlyMap<string, Uint8Array>;
}

/**
 * Completes the folder at `location`, in which all files with bytes are written: makes the empty
 * files, the empty folders and, last of all, the links. Runs in a worker, with synchronous calls.
 *
 * @throws errors of the file system; EFOREIGN if something else is in the place of an entry;
 *   ShoalError ERR_SEED if a link leads out of the folder
 */
export function finishFolder(location: FolderLocation, folder: Folder): FinishedFolder {
	const { root, wanted } = location;
	const isWanted = ({ path }: FolderEntry): boolean => wanted?.has(path) ?? true;
	const folders = new OwnFolders(location.side ?? root);
	folders.make(root);
	for (const entry of folder.entries) {
		const { path, kind, length } = entry;
		if (length > 0 || !isWanted(entry)) {
			continue;
		}
		const full = join(root, path);
		if (kind === 'd') {
			folders.make(full);
		} else {
			folders.make(dirname(full));
			makeEmpty(full, kind === 'x' ? 0o777 : 0o666);
		}
	}
	const links = linksOf(location, folder, isWanted);
	for (const [path, target] of links) {
		folders.make(dirname(join(root, path)));
		makeLink(join(root, path), Buffer.from(target).toString());
	}
	const stamps = stampsOf(root, folders, folder, isWanted);
	return { stamps: stamps.numbers, links };
}

/**
 * The stamps of the wanted entries.
 *
 * @throws EFOREIGN, with the path, if something else is in the place of an entry
 */
function stampsOf(
	root: string,
	folders: OwnFolders,
	folder: Folder,
	isWanted: (entry: FolderEntry) => boolean,
): EntryStamps {
	const stamps = new EntryStamps(folder.entries.length);
	for (const [number, entry] of folder.entries.entries()) {
		if (isWanted(entry)) {
			const path = join(root, entry.path);
			folders.make(dirname(path));
			const stats = lstatSync(path, { bigint: true });
			if (!isOfKind(entry, stats)) {
				throw foreign(path);
			}
			stamps.set(number, stats);
		}
	}
	return stamps;
}

/** The targets of the links, by path. @throws ShoalError ERR_SEED */
function linksOf(
	location: FolderLocation,
	folder: Folder,
	isWanted: (entry: FolderEntry) => boolean,
): Map<string, Uint8Array> {
	const links = new Map<string, Uint8Array>();
	const files = new ContentFiles(new FolderPlace(location, { folder, isWritable: false }));
	let paths: FolderPaths | undefined;
	try {
		for (const { entry, offset, length } of folder.pieces) {
			if (entry?.kind === 'l' && isWanted(entry)) {
				const target = new Uint8Array(length);
				files.read(offset, target);
				paths ??= new FolderPaths(folder.entries);
				checkLink(entry.path, target, paths);
				links.set(entry.path, target);
			}
		}
	} finally {
		files.close();
	}
	return links;
}

function checkLink(path: string, target: Uint8Array, paths: FolderPaths): void {
	let why: string | undefined;
	try {
		why = whyNoLink(path, decoder.decode(target), paths);
	} catch {
		why = 'its target is not UTF-8';
	}
	if (why !== undefined) {
		throw new ShoalError(
			'ERR_SEED',
			`the link ${quoted(path)} of the folder is not made, because ${why}: the seed is not safe`,
		);
	}
}

function makeEmpty(path: string, mode: number): void {
	try {
		closeSync(openSync(path, O_WRONLY | O_CREAT | O_EXCL, mode));
	} catch (error) {
		const found = lstatSync(path, { throwIfNoEntry: false });
		if (!(found?.isFile() && found.size === 0)) {
			throw error;
		}
	}
}

function makeLink(path: string, target: string): void {
	try {
		symlinkSync(target, path);
	} catch (error) {
		const found = lstatSync(path, { throwIfNoEntry: false });
		if (!(found?.isSymbolicLink() && readlinkSync(path) === target)) {
			throw error;
		}
	}
}
