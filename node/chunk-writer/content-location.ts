import { type FinishedFolder, finishFolder } from '../hashing/folder/finish-folder.ts';
import { ContentFiles } from '../storage/content-files.ts';
import { OpenFiles, type OpenPiece } from '../storage/content-place.ts';
import { type FolderLocation, FolderPlace } from '../storage/folder/folder-place.ts';
import { FolderDigest } from './folder-digest.ts';
import { type ContentDigest, type HashedContent, WholeDigest } from './whole-digest.ts';

/**
 * Where a content is: in open files, one after the other, or in a folder. This can be sent to a
 * thread.
 */
export type ContentLocation =
	| { readonly pieces: readonly OpenPiece[] }
	| { readonly folder: FolderLocation };

/** The files of a content, and what checks its digests. */
export interface OpenLocation {
	readonly files: ContentFiles;
	/** Undefined if no digests are wanted beyond those of the chunks. */
	readonly digest: ContentDigest | undefined;

	/**
	 * Closes the written files, then does as {@link finishFolder}; undefined if the content is a
	 * file.
	 */
	readonly finish: (() => FinishedFolder) | undefined;
}

/** Opens the files at `location` for writing, and for the check of the digests of `toHash`. */
export function openLocation(
	location: ContentLocation,
	toHash: HashedContent | undefined,
): OpenLocation {
	if ('pieces' in location) {
		const place = new OpenFiles(location.pieces);
		const digest = toHash && new WholeDigest(toHash, place);
		return { files: new ContentFiles(place), digest, finish: undefined };
	}
	const { folder: at } = location;
	const place = new FolderPlace(at, { isWritable: true });
	const { folder } = place;
	const reading = new FolderPlace(at, { folder, isWritable: false });
	const digest = toHash && new FolderDigest(toHash, reading, at.wanted);
	const files = new ContentFiles(place);
	const finish = (): FinishedFolder => {
		// If the bytes of a file could not be stored, this may be the only error.
		files.close();
		return finishFolder(at, folder);
	};
	return { files, digest, finish };
}
