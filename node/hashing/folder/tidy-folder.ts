import { isUtf8 } from 'node:buffer';
import { type Dirent, lstatSync, readdirSync, rmSync } from 'node:fs';
import {
	type EntryKind,
	type Folder,
	type FolderEntry,
	FolderPaths,
} from '../../../protocol/index.ts';
import type { FolderLocation } from '../../storage/folder/folder-place.ts';

/**
 * Removes from the folder at `location`, which an earlier download has left, everything that is no
 * wanted file: files of another selection, links, and what other programs have put there. A wanted
 * file that has further names (hard links) elsewhere is removed as well, because it must not be
 * written to. Runs in a worker, with synchronous calls.
 *
 * @throws errors of the file system
 */
export function tidyFolder({ root, wanted }: FolderLocation, { entries }: Folder): void {
	const kept = entries.filter(({ path }) => wanted?.has(path) ?? true);
	new Tidier(kept).tidy(Buffer.from(root), '');
}

class Tidier {
	readonly #kinds: ReadonlyMap<string, EntryKind>;
	readonly #paths: FolderPaths;

	constructor(kept: readonly FolderEntry[]) {
		this.#kinds = new Map(kept.map(({ path, kind }) => [path, kind]));
		this.#paths = new FolderPaths(kept);
	}

	/** @param path of the folder below the root, empty for the root itself */
	tidy(folder: Buffer, path: string): void {
		for (const found of readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })) {
			const name = found.name as unknown as Buffer;
			const full = Buffer.concat([folder, Buffer.from('/'), name]);
			const own = isUtf8(name) ? below(path, name.toString()) : undefined;
			if (own === undefined || !this.#isKept(own, found, full)) {
				rmSync(full, { recursive: true, force: true });
			} else if (found.isDirectory()) {
				this.tidy(full, own);
			}
		}
	}

	#isKept(path: string, found: Dirent<Buffer> | Dirent, full: Buffer): boolean {
		const kind = this.#kinds.get(path);
		if (found.isDirectory()) {
			return this.#paths.has(path) && (kind === undefined || kind === 'd');
		}
		const isFile = found.isFile() && (kind === 'f' || kind === 'x');
		// Some file systems do not count the names of a file: it has none then.
		return isFile && lstatSync(full).nlink <= 1;
	}
}

function below(folder: string, name: string): string {
	return folder === '' ? name : `${folder}/${name}`;
}
