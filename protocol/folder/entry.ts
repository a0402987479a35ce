/**
 * The kind of an entry of a folder:
 *
 * - `f`: a file;
 * - `x`: a file that its owner may execute;
 * - `d`: an empty folder; folders with entries have no line of their own;
 * - `l`: a symbolic link, whose bytes are its target.
 */
export type EntryKind = 'f' | 'x' | 'd' | 'l';

/** An entry of a folder: one line of its index. */
export interface FolderEntry {
	/** Path below the folder, parts separated by `/`. */
	readonly path: string;
	/** File, executable file, empty folder or link. */
	readonly kind: EntryKind;
	/** Bytes of the file, or of the link's target in UTF-8; 0 for an empty folder. */
	readonly length: number;
	/** SHA-256 of these bytes, lower-case hex. */
	readonly digest: string;
}

/** Most entries of a folder. */
export const MAX_ENTRIES = 200_000;
