/**
 * A file or folder on this machine whose digests are known. Its bytes may have changed since they
 * were hashed, so they are verified when they are used.
 */
export interface KnownSource {
	/** Identifies the entry of the seed cache that the source is from. */
	readonly entry?: string | undefined;
	/** Absolute path. */
	readonly path: string;
	/** Bytes of the content. */
	readonly length: number;
	/** Bytes of each chunk but the last. */
	readonly chunkSize: number;
	/** SHA-256 of each chunk, one after the other. Empty if only `digest` is known. */
	readonly chunkDigests: Uint8Array;
	/** SHA-256 of the file, or of the index of the folder. Zeros if it is not known. */
	readonly digest: string;
	/** The index of the folder; undefined for a file. */
	readonly index?: Uint8Array | undefined;
}
