/** A folder of the user, as far as a browser shows it: without links and permissions. */
export interface LocalFolder {
	/** The name of the folder. */
	readonly name: string;
	/** The files, by their paths below the folder, parts separated by `/`. */
	readonly files: ReadonlyArray<readonly [path: string, file: File]>;
	/** The paths of empty folders. @default none */
	readonly emptyFolders?: readonly string[] | undefined;
	/** The paths of what cannot be read. If there are any, the folder is not shared. @default none */
	readonly unreadable?: readonly string[] | undefined;
}
