import type { FolderEntry } from './entry.ts';

/** Most bytes of the target of a link in UTF-8. */
export const MAX_TARGET_BYTES = 1_024;

/**
 * Why a link must not be made; undefined if it may be made. A target is `../` zero or more times,
 * followed by ordinary names. Judged by its text alone, it must lead to an entry, or to a folder
 * that has entries, but not to the shared folder itself. Nothing on the way may be a link. So a
 * link never leads out of the folder, and links never form a circle.
 *
 * @param path of the link
 * @param target the bytes of the link, as text
 */
export function whyNoLink(path: string, target: string, folder: FolderPaths): string | undefined {
	if (target !== target.normalize('NFC')) {
		return 'its target is not in Unicode normal form C';
	}
	const way = path.split('/').slice(0, -1);
	const parts = target.split('/');
	while (parts[0] === '..') {
		parts.shift();
		if (way.pop() === undefined) {
			return 'its target is outside of the folder';
		}
	}
	if (parts.length === 0) {
		return way.length === 0 ? 'its target is the folder itself' : whyNoEntry(way.join('/'), folder);
	}
	if (parts.some((part) => part === '' || part === '.' || part === '..')) {
		return 'its target is absolute, or has a part that is empty, . or ..';
	}
	return whyNoEntry([...way, ...parts].join('/'), folder);
}

function whyNoEntry(path: string, folder: FolderPaths): string | undefined {
	if (!folder.has(path)) {
		return 'its target is not in the folder';
	}
	const parts = path.split('/');
	for (let count = 1; count <= parts.length; count += 1) {
		if (folder.isLink(parts.slice(0, count).join('/'))) {
			return 'its target leads through a link, or is one';
		}
	}
	return undefined;
}

/** The paths of all entries of a folder, and of the folders in it that contain entries. */
export class FolderPaths {
	readonly #links = new Set<string>();
	readonly #all = new Set<string>();

	/** @param entries in any order */
	constructor(entries: ReadonlyArray<Pick<FolderEntry, 'path' | 'kind'>>) {
		for (const { path, kind } of entries) {
			this.#all.add(path);
			if (kind === 'l') {
				this.#links.add(path);
			}
			for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
				const folder = path.slice(0, end);
				if (this.#all.has(folder)) {
					break;
				}
				this.#all.add(folder);
			}
		}
	}

	/** Whether `path` is an entry, or a folder with entries. */
	has(path: string): boolean {
		return this.#all.has(path);
	}

	/** Whether `path` is a symbolic link. */
	isLink(path: string): boolean {
		return this.#links.has(path);
	}
}
