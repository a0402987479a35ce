/** The items dropped on the page. */
export interface Dropped {
	readonly files: readonly File[];
	readonly folders: readonly FileSystemDirectoryEntry[];
}

/**
 * The files and folders of a drop. A browser presents a folder as a file that cannot be read; only
 * its entry says what it is. Call this in the handler of the event: afterwards the items cannot be
 * read.
 */
export function readDropped({ items }: DataTransfer): Dropped {
	const files: File[] = [];
	const folders: FileSystemDirectoryEntry[] = [];
	for (const item of items) {
		const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null;
		const file = item.kind === 'file' ? item.getAsFile() : null;
		if (entry?.isDirectory) {
			folders.push(entry as FileSystemDirectoryEntry);
		} else if (file !== null) {
			files.push(file);
		}
	}
	return { files, folders };
}
