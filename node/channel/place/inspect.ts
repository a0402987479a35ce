import { FolderThread } from '../../hashing/folder/folder-thread.ts';
import type { HashOptions } from '../../hashing/hasher.ts';
import { restSince } from '../../storage/file-stamp.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import type { VersionContent } from './version-content.ts';
import type { VersionRecord } from './version-record.ts';

/** Options of {@link rightIn}. */
export interface RightOptions extends HashOptions {
	/** Whether the file system stores which files are executable. */
	readonly hasKinds: boolean;
	/** Whether files without a known stamp are hashed; if not, they count as wrong. @default true */
	readonly hashesOthers?: boolean;
}

/** The entries of two versions that a followed folder has. */
export interface Inspected {
	/** The older version, with the stamps of what is unchanged; undefined: there is none. */
	readonly older: VersionRecord | undefined;
	/** The stamps of the entries of the next version that are right already. */
	readonly right: EntryStamps;
}

/**
 * Finds the entries of the applied version, and of the next one, that are right in the folder at `root`.
 * Only files whose stamps differ from those in the record are hashed.
 *
 * @throws ShoalError ERR_ABORTED
 */
export async function inspect(
	root: string,
	record: VersionRecord | undefined,
	next: VersionContent,
	options: RightOptions,
): Promise<Inspected> {
	// A file that changes after it was hashed must get another time than the change before.
	await restSince(Date.now());
	const older = record && {
		...record,
		stamps: await rightIn(root, record, record.stamps, options),
	};
	const known = older === undefined ? new EntryStamps(next.entries.length) : carried(older, next);
	const right = await rightIn(root, next, known, options);
	clearRemoved(right, older, next);
	return { older, right };
}

/**
 * Clears the stamps of entries whose files will be removed, because the older version has them under
 * a path that the next one does not have. On a file system that ignores case, these are entries that
 * differ only in the case of their paths.
 */
function clearRemoved(
	right: EntryStamps,
	older: VersionRecord | undefined,
	next: VersionContent,
): void {
	const paths = new Set(next.entries.map(({ path }) => path));
	const removed = new Set<string>();
	for (const [number, { path, kind }] of older?.entries.entries() ?? []) {
		if (kind !== 'd' && !paths.has(path) && older?.stamps.has(number)) {
			removed.add(older.stamps.identityOf(number));
		}
	}
	for (const [number, { kind }] of next.entries.entries()) {
		if (kind !== 'd' && removed.size > 0 && removed.has(right.identityOf(number))) {
			right.clear(number);
		}
	}
}

/**
 * The stamps of the entries of a version that are right in the folder at `root`.
 *
 * @param known the stamps of files that need no hashing
 * @throws ShoalError ERR_ABORTED
 */
export async function rightIn(
	root: string,
	version: VersionContent,
	known: EntryStamps,
	options: RightOptions,
): Promise<EntryStamps> {
	const thread = new FolderThread(root, options);
	const { hasKinds, hashesOthers = true } = options;
	const find = async (about: { known: EntryStamps; bytes: number; hashesOthers: boolean }) => {
		const job = { do: 'right', root, index: version.index, hasKinds, ...about } as const;
		const numbers = about.known.numbers;
		return new EntryStamps(await thread.run<BigUint64Array>({ ...job, known: numbers }));
	};
	try {
		// Most files still have their stamps. Only if some do not, there is something to hash.
		const sure = await find({ known, bytes: 0, hashesOthers: false });
		const bytes = bytesWithout(sure, version);
		return hashesOthers && bytes > 0 ? await find({ known: sure, bytes, hashesOthers }) : sure;
	} finally {
		await thread.close();
	}
}

/** Bytes of the entries of a version that have no stamp in `sure`. */
function bytesWithout(sure: EntryStamps, { entries }: VersionContent): number {
	return entries.reduce((sum, { length }, at) => sum + (sure.has(at) ? 0 : length), 0);
}

/** The stamps of the entries of `next` that the older version has, too. */
function carried(older: VersionRecord, next: VersionContent): EntryStamps {
	const numbers = new Map(older.entries.map(({ path }, number) => [path, number]));
	const stamps = new EntryStamps(next.entries.length);
	for (const [number, { path, kind, length, digest }] of next.entries.entries()) {
		const at = numbers.get(path);
		const before = at === undefined ? undefined : older.entries[at];
		if (at !== undefined && before?.kind === kind && before.length === length) {
			if (before.digest === digest) {
				stamps.copy(number, older.stamps, at);
			}
		}
	}
	return stamps;
}
