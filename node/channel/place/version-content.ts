import {
	Folder,
	type FolderEntry,
	formatIndex,
	quoted,
	type Seed,
	ShoalError,
	safeFileName,
} from '../../../protocol/index.ts';
import { OWN_FOLDER } from '../../storage/folder/follower-folder.ts';

/** The entries of a version. A version that is a file has one entry: this file. */
export interface VersionContent {
	readonly seed: Seed;
	/** Undefined if the version is a file. */
	readonly folder: Folder | undefined;
	/** The text of the index; for a file, that of a folder with this file. */
	readonly index: Uint8Array;
	/** In the order of the index. */
	readonly entries: readonly FolderEntry[];
}

/**
 * The entries of the version that `seed` describes.
 *
 * @param index the text of the index; undefined if the version is a file
 * @throws ShoalError ERR_SEED, ERR_NAME
 */
export function versionContent(seed: Seed, index: Uint8Array | undefined): VersionContent {
	if (index !== undefined) {
		const folder = new Folder(seed, index);
		return { seed, folder, index: folder.index, entries: folder.entries };
	}
	if (seed.kind !== 'sha256') {
		throw new ShoalError(
			'ERR_SEED',
			`the digests of the seed ${seed.id} are MD5; a channel needs SHA-256`,
		);
	}
	const path = safeFileName(seed.name);
	const entry: FolderEntry = { path, kind: 'f', length: seed.length, digest: seed.digest };
	return { seed, folder: undefined, index: formatIndex([entry]), entries: [entry] };
}

/** @throws ShoalError ERR_NAME if an entry would be in the folder of the follower's own files */
export function checkNotOwn({ entries }: VersionContent): void {
	const own = entries.find(({ path }) => {
		const [first = ''] = path.split('/');
		return first.toLowerCase() === OWN_FOLDER;
	});
	if (own !== undefined) {
		throw new ShoalError(
			'ERR_NAME',
			`this version has ${quoted(own.path)}, but shoal follow keeps its own files under ${OWN_FOLDER}; ask the publisher to leave it out with --exclude`,
		);
	}
}
