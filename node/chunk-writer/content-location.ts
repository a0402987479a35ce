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

/** The files at `location`. */
export function filesAt(location: ContentLocation): ContentFiles {
	return new ContentFiles(
		'pieces' in location
			? new OpenFiles(location.pieces)
			: new FolderPlace(location.folder, { isWritable: true }),
	);
}

/**
 * Checks the digest of the whole content at `location`, or the digests of the files of a folder.
 */
export function digestAt(location: ContentLocation, content: HashedContent): ContentDigest {
	if ('pieces' in location) {
		return new WholeDigest(content, new OpenFiles(location.pieces));
	}
	const place = new FolderPlace(location.folder, { isWritable: false });
	return new FolderDigest(content, place, location.folder.wanted);
}
