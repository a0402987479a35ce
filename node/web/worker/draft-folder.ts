import { uint8ArrayToHex } from 'uint8array-extras';
import {
	comparePaths,
	digestOf,
	type FolderEntry,
	quoted,
	ShoalError,
	whyNoPath,
} from '../../../protocol/index.ts';
import type { LocalFolder } from '../local-folder.ts';

/** The entries of a folder of the user whose files were not hashed yet, and its files by path. */
export interface FolderDraft {
	/** In the order of an index. The digest of a file with bytes is all zeros. */
	readonly entries: readonly FolderEntry[];
	readonly files: ReadonlyMap<string, File>;
}

/** An entry that cannot be shared. */
interface OddEntry {
	readonly path: string;
	readonly why: string;
}

/** The digest of no bytes. */
const EMPTY = uint8ArrayToHex(digestOf('sha256', new Uint8Array()));
const UNKNOWN = '0'.repeat(64);
/** Entries that cannot be shared are named, up to this many. */
const MOST_NAMED = 5;

/**
 * The entries of a folder. Paths are in Unicode normal form C. Every file is of the kind `f`, as a
 * browser does not tell which files may be executed.
 *
 * @throws ShoalError ERR_SEED, which names what cannot be shared
 */
export function draftFolder({
	name,
	files,
	emptyFolders = [],
	unreadable = [],
}: LocalFolder): FolderDraft {
	const odd: OddEntry[] = unreadable.map((path) => ({ path, why: 'it cannot be read' }));
	const entries = new Map<string, FolderEntry>();
	const filesByPath = new Map<string, File>();
	const add = (given: string, kind: 'f' | 'd', length: number): string => {
		const path = given.normalize('NFC');
		const why = entries.has(path)
			? 'another name differs from it only in its Unicode form'
			: whyNoPath(path);
		if (why !== undefined) {
			odd.push({ path: given, why });
		}
		entries.set(path, { path, kind, length, digest: length === 0 ? EMPTY : UNKNOWN });
		return path;
	};
	for (const [path, file] of files) {
		filesByPath.set(add(path, 'f', file.size), file);
	}
	for (const path of emptyFolders) {
		add(path, 'd', 0);
	}
	if (odd.length > 0) {
		throw oddError(name, odd);
	}
	const sorted = [...entries.values()].sort((a, b) => comparePaths(a.path, b.path));
	return { entries: sorted, files: filesByPath };
}

function oddError(name: string, odd: readonly OddEntry[]): ShoalError {
	const named = odd.slice(0, MOST_NAMED).map(({ path, why }) => `${quoted(path, 100)} (${why})`);
	const more = odd.length > MOST_NAMED ? `, and ${odd.length - MOST_NAMED} more` : '';
	return new ShoalError(
		'ERR_SEED',
		`the folder ${quoted(name)} has entries that cannot be shared: ${named.join(', ')}${more}; rename or remove them, and share the folder again`,
	);
}
