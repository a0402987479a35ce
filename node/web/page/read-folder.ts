import { MAX_ENTRIES } from '../../../protocol/index.ts';
import type { LocalFolder } from '../local-folder.ts';

/** Files that are opened at a time. */
const AT_ONCE = 50;
/** Folders below this depth are not read, because the worker refuses their paths. */
const TOO_DEEP = 40;

/** The files and folders that were found in a folder so far. */
interface Found {
	readonly files: Array<readonly [path: string, file: File]>;
	readonly emptyFolders: string[];
	readonly unreadable: string[];
}

/**
 * Reads which files a dropped folder has. A folder with too many entries is read no further; the
 * worker refuses it.
 *
 * @param onCount called with the number of entries so far
 */
export async function readFolder(
	folder: FileSystemDirectoryEntry,
	onCount: (entries: number) => void,
): Promise<LocalFolder> {
	const found: Found = { files: [], emptyFolders: [], unreadable: [] };
	const folders: Array<readonly [path: string, entry: FileSystemDirectoryEntry]> = [['', folder]];
	for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
		const [path, entry] = next;
		const isTooDeep = path.split('/').length > TOO_DEEP;
		const children = isTooDeep ? [] : await childrenOf(entry).catch(() => undefined);
		if (children === undefined) {
			found.unreadable.push(path === '' ? folder.name : path);
			continue;
		}
		if (children.length === 0 && path !== '') {
			found.emptyFolders.push(path);
		}
		const below = (name: string): string => (path === '' ? name : `${path}/${name}`);
		for (const child of children.filter(({ isDirectory }) => isDirectory)) {
			folders.push([below(child.name), child as FileSystemDirectoryEntry]);
		}
		await addFiles(found, children.filter(isFileEntry), below);
		const { files, emptyFolders, unreadable } = found;
		const count = files.length + emptyFolders.length + unreadable.length;
		onCount(count);
		if (count > MAX_ENTRIES) {
			break;
		}
	}
	return { name: folder.name, ...found };
}

/**
 * The folders that were chosen with an input for folders. Such an input leaves out empty folders.
 */
export function chosenFolders(files: Iterable<File>): LocalFolder[] {
	const folders = new Map<string, Array<readonly [path: string, file: File]>>();
	for (const file of files) {
		const path = file.webkitRelativePath;
		const slash = path.indexOf('/');
		const name = path.slice(0, slash);
		const inFolder = folders.get(name) ?? [];
		folders.set(name, inFolder);
		inFolder.push([path.slice(slash + 1), file]);
	}
	return Array.from(folders, ([name, each]) => ({ name, files: each }));
}

function isFileEntry(entry: FileSystemEntry): entry is FileSystemFileEntry {
	return entry.isFile;
}

async function addFiles(
	found: Found,
	entries: readonly FileSystemFileEntry[],
	below: (name: string) => string,
): Promise<void> {
	for (let start = 0; start < entries.length; start += AT_ONCE) {
		const some = entries.slice(start, start + AT_ONCE);
		await Promise.all(
			some.map(async (entry) => {
				const path = below(entry.name);
				try {
					found.files.push([path, await fileOf(entry)]);
				} catch {
					found.unreadable.push(path);
				}
			}),
		);
	}
}

async function fileOf(entry: FileSystemFileEntry): Promise<File> {
	return await new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** The entries of a folder, which a browser gives in several parts. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
	const reader = folder.createReader();
	const children: FileSystemEntry[] = [];
	while (true) {
		const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
			reader.readEntries(resolve, reject),
		);
		if (part.length === 0) {
			return children;
		}
		children.push(...part);
	}
}
