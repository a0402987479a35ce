import { type FolderEntry, quoted, ShoalError } from '../../../protocol/index.ts';
import type { DownloadedFile, DownloadedFolder } from './downloaded-folder.ts';
import { sameButForCase } from './same-but-for-case.ts';

/** Files that are written at a time. */
const AT_ONCE = 8;
/** The largest number that is added to the name of the folder if this name is taken. */
const MOST_NUMBER = 999;
const PROBE = '.shoal-case';

/**
 * Writes a folder as a new folder in `into`. Nothing that is there is changed: if the name is
 * taken, a number is added to it. Links are left out, as a browser cannot make any.
 *
 * @param name a safe file name
 * @param onBytes called with the number of bytes written since the last call
 * @returns the name of the new folder
 * @throws ShoalError ERR_NAME if a name cannot be stored there, ERR_EXISTS, ERR_IO
 */
export async function unpackFolder(
	folder: DownloadedFolder,
	into: FileSystemDirectoryHandle,
	name: string,
	onBytes: (bytes: number) => void,
): Promise<string> {
	const top = await makeNew(into, name);
	await checkCase(folder.entries, top);
	const parents = new Map([['', Promise.resolve(top)]]);
	for (const { path } of folder.entries.filter(({ kind }) => kind === 'd')) {
		await folderAt(path, parents);
	}
	const write = async ({ entry: { path, length }, content }: DownloadedFile): Promise<void> => {
		const [parent, own] = split(path);
		const inFolder = await folderAt(parent, parents);
		await atPath(path, () => writeFile(inFolder, own, content));
		onBytes(length);
	};
	// All writers take their next file from the same generator. If one fails, the others end.
	const files = folder.files();
	const writeNext = async (): Promise<void> => {
		for (let next = await files.next(); !next.done; next = await files.next()) {
			await write(next.value).catch(async (error: unknown) => {
				await files.return(undefined);
				throw error;
			});
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, writeNext));
	return top.name;
}

/** Makes a folder that is not there yet. */
async function makeNew(
	into: FileSystemDirectoryHandle,
	name: string,
): Promise<FileSystemDirectoryHandle> {
	for (let number = 1; number <= MOST_NUMBER; number += 1) {
		const own = number === 1 ? name : `${name} (${number})`;
		if (!(await isThere(into, own))) {
			return await atPath(own, () => into.getDirectoryHandle(own, { create: true }));
		}
	}
	throw new ShoalError('ERR_EXISTS', `${quoted(name)} is there already: choose another folder`);
}

async function isThere(into: FileSystemDirectoryHandle, name: string): Promise<boolean> {
	try {
		await into.getDirectoryHandle(name);
		return true;
	} catch (error) {
		// A TypeMismatchError means that a file has the name. Any other error occurs again when the
		// folder is made.
		return (error as DOMException).name === 'TypeMismatchError';
	}
}

/** @throws ShoalError ERR_NAME if two names differ only in case, and the folder does not tell them apart */
async function checkCase(
	entries: readonly FolderEntry[],
	top: FileSystemDirectoryHandle,
): Promise<void> {
	const [one, other] = sameButForCase(entries.map(({ path }) => path)) ?? [];
	if (one === undefined || other === undefined) {
		return;
	}
	await top.getFileHandle(PROBE, { create: true });
	const folds = await isFileThere(top, PROBE.toUpperCase());
	await top.removeEntry(PROBE);
	if (folds) {
		throw new ShoalError(
			'ERR_NAME',
			`${quoted(one)} and ${quoted(other)} differ only in case, and are the same file there; choose a folder on another file system, or save a zip`,
		);
	}
}

async function isFileThere(top: FileSystemDirectoryHandle, name: string): Promise<boolean> {
	return await top.getFileHandle(name).then(
		() => true,
		() => false,
	);
}

/** The folder at a path below the new folder; each is made once. */
function folderAt(
	path: string,
	made: Map<string, Promise<FileSystemDirectoryHandle>>,
): Promise<FileSystemDirectoryHandle> {
	const known = made.get(path);
	if (known !== undefined) {
		return known;
	}
	const [parent, own] = split(path);
	const making = atPath(path, async () =>
		(await folderAt(parent, made)).getDirectoryHandle(own, { create: true }),
	);
	made.set(path, making);
	return making;
}

async function writeFile(
	folder: FileSystemDirectoryHandle,
	name: string,
	content: DownloadedFile['content'],
): Promise<void> {
	const handle = await folder.getFileHandle(name, { create: true });
	const writable = await handle.createWritable();
	if (content instanceof Blob) {
		await content.stream().pipeTo(writable);
	} else {
		await writable.write(content);
		await writable.close();
	}
}

/**
 * The path of the folder that an entry is in, empty for the top, and the name of the entry there.
 */
function split(path: string): [parent: string, own: string] {
	const slash = path.lastIndexOf('/');
	return [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)];
}

/** Runs `operation`. @throws its error as a ShoalError that names `path` */
async function atPath<T>(path: string, operation: () => Promise<T>): Promise<T> {
	try {
		return await operation();
	} catch (cause) {
		if (cause instanceof ShoalError) {
			throw cause;
		}
		const { name, message } = cause as DOMException;
		// A TypeError: the browser or the system does not allow the name.
		throw name === 'TypeError'
			? new ShoalError(
					'ERR_NAME',
					`${quoted(path)} cannot be stored under its name here; save a zip instead`,
					{ cause },
				)
			: new ShoalError('ERR_IO', `${quoted(path)} cannot be written: ${message}`, { cause });
	}
}
