/** The items dropped on the page. */
export interface Dropped {
	readonly files: readonly File[];
	/** Names of folders, which cannot be shared. */
	readonly folders: readonly string[];
}

/**
 * The files and folders of a drop. A browser presents a folder as a file that cannot be read; only
 * its entry says what it is. Call this in the handler of the event: afterwards the items cannot be
 * read.
 */
export function readDropped({ items }: DataTransfer): Dropped {
	const files: File[] = [];
	const folders: string[] = [];
	for (const item of items) {
		const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null;
		const file = item.kind === 'file' ? item.getAsFile() : null;
		if (entry?.isDirectory) {
			folders.push(entry.name);
		} else if (file !== null) {
			files.push(file);
		}
	}
	return { files, folders };
}
