/**
 * A file or folder on this machine whose digests are known. Its bytes may have changed since, so
 * they are verified when they are used.
 */
export interface KnownSource {
	/** Absolute path. */
	readonly path: string;
	/** Bytes of the content. */
	readonly length: number;
	/** Bytes of each chunk but the last. */
	readonly chunkSize: number;
	/** SHA-256 of each chunk, one after the other. */
	readonly chunkDigests: Uint8Array;
	/** SHA-256 of the file; for a folder, of its index. */
	readonly digest: string;
	/** The index of a folder; undefined: it is a file. */
	readonly index?: Uint8Array | undefined;
}
