import { isUtf8 } from 'node:buffer';
import {
	accessSync,
	type BigIntStats,
	constants,
	lstatSync,
	readdirSync,
	readlinkSync,
	statfsSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
	comparePaths,
	type EntryKind,
	FolderPaths,
	MAX_ENTRIES,
	MAX_LENGTH,
	MAX_TARGET_BYTES,
	ShoalError,
	whyNoLink,
	whyNoPath,
} from '../../../protocol/index.ts';
import { type EntryStamps, StampList } from '../../storage/folder/entry-stamps.ts';
import { isFollowed, OWN_FOLDER } from '../../storage/folder/follower-folder.ts';
import { isVirtualType } from '../../storage/regular-file.ts';

/** An entry of a folder on the disk. Its bytes were not read yet. */
export interface ScannedEntry {
	/** Path below the folder, in Unicode normal form C. */
	readonly path: string;
	/** The path on the disk, if it differs from `path`. */
	readonly name: string | undefined;
	readonly kind: EntryKind;
	/** Bytes. */
	readonly length: number;
	/** The target, if it is a link. */
	readonly target: Uint8Array | undefined;
}

interface StampedEntry extends ScannedEntry {
	/** The number of its stamp. */
	readonly stamp: number;
}

/** Something in a folder that cannot be shared. */
export interface OddEntry {
	/** Its path below the folder. */
	readonly path: string;
	readonly why: string;
}

/** The entries of a folder. */
export interface Scan {
	/** In the order of an index. */
	readonly entries: readonly ScannedEntry[];
	/** The stamps of `entries`, in the same order. */
	readonly stamps: EntryStamps;
	/** Entries of the folder that cannot be shared. They are not in `entries`. */
	readonly odd: readonly OddEntry[];
}

/**
 * Reads which entries the folder at `root` has. No link is followed.
 *
 * @param isExcluded whether to leave out the entry at a path, and all that is below it
 * @param most maximum number of entries, including those that cannot be shared
 * @throws errors of the file system if the folder itself cannot be read; ShoalError ERR_LIMIT if it
 *   has too many entries
 */
export function scanFolder(
	root: string,
	isExcluded: (path: string) => boolean = () => false,
	most: number = MAX_ENTRIES,
): Scan {
	const scanner = new Scanner(root, isExcluded, most);
	scanner.scan({ path: '', name: '' });
	scanner.leaveOutBadLinks();
	return scanOf(scanner);
}

/**
 * Reads which entries the folder at `root` has, for a comparison with an index. The number of
 * entries is not limited. Every link is an entry, whatever its target: a folder of which only some
 * files were downloaded can have links to files that were not downloaded.
 *
 * @throws errors of the file system if the folder itself cannot be read
 */
export function scanExisting(root: string): Scan {
	const scanner = new Scanner(root, () => false, Number.POSITIVE_INFINITY);
	scanner.scan({ path: '', name: '' });
	return scanOf(scanner);
}

function scanOf({ entries, odd, stamps: all }: Scanner): Scan {
	entries.sort((a, b) => comparePaths(a.path, b.path));
	const stamps = all.take(entries.map(({ stamp }) => stamp));
	return { entries, stamps, odd };
}

/** A path in Unicode normal form C, and the same path as it is on the disk. */
interface Names {
	readonly path: string;
	readonly name: string;
}

/**
 * Reads a folder and the folders in it. If the folder follows a channel, the files of the follower
 * are left out.
 */
class Scanner {
	entries: StampedEntry[] = [];
	readonly stamps = new StampList();
	readonly odd: OddEntry[] = [];
	readonly #root: string;
	readonly #isExcluded: (path: string) => boolean;
	readonly #most: number;
	/** For each device, whether the system generates the bytes of its files when they are read. */
	readonly #virtual = new Map<bigint, boolean>();

	constructor(root: string, isExcluded: (path: string) => boolean, most: number) {
		this.#root = root;
		const hasOwn = isFollowed(root);
		this.#isExcluded = (path) => (hasOwn && path === OWN_FOLDER) || isExcluded(path);
		this.#most = most;
	}

	/** Reads a folder. @returns whether it has an entry that is shared */
	scan(folder: Names): boolean {
		const all = readdirSync(join(this.#root, folder.name), { encoding: 'buffer' });
		const named = all.map((bytes) => {
			const own = bytes.toString();
			const names = {
				path: below(folder.path, own.normalize('NFC')),
				name: below(folder.name, own),
			};
			return { ...names, isText: isUtf8(bytes) };
		});
		const counts = new Map<string, number>();
		for (const { path } of named) {
			counts.set(path, (counts.get(path) ?? 0) + 1);
		}
		let isEmpty = true;
		for (const { isText, ...names } of named) {
			if (this.#isExcluded(names.path)) {
				continue;
			}
			this.#checkCount();
			const why = whyBadName(names.path, isText, counts.get(names.path) as number);
			if (why !== undefined) {
				this.odd.push({ path: names.name, why });
			} else if (this.#look(names)) {
				isEmpty = false;
			}
		}
		return !isEmpty;
	}

	/** Leaves out links that lead out of the folder, to a link, or to nothing. */
	leaveOutBadLinks(): void {
		if (this.entries.every(({ kind }) => kind !== 'l')) {
			return;
		}
		const before = new FolderPaths(this.entries);
		const bad: Names[] = [];
		this.entries = this.entries.filter(({ path, name = path, target }) => {
			const why = target && whyNoTarget(path, target, before);
			if (why !== undefined) {
				this.odd.push({ path: name, why: `it is a link, and ${why}` });
				bad.push({ path, name });
			}
			return why === undefined;
		});
		this.#keepFoldersOf(bad);
	}

	/**
	 * Adds the folders that had no entries but the links `left`: they are empty now, and other
	 * links may lead to them.
	 */
	#keepFoldersOf(left: readonly Names[]): void {
		const folders = left.map(({ path, name }) => ({ path: dirname(path), name: dirname(name) }));
		const deepestFirst = folders.sort((a, b) => depthOf(b.path) - depthOf(a.path));
		const kept = new FolderPaths(this.entries);
		const added = new Set(['.']);
		for (const names of deepestFirst) {
			if (!kept.has(names.path) && !added.has(names.path)) {
				this.#addFolder(names);
				for (let path = names.path; !added.has(path); path = dirname(path)) {
					added.add(path);
				}
			}
		}
	}

	#addFolder(names: Names): void {
		try {
			const stats = lstatSync(join(this.#root, names.name), { bigint: true });
			this.#add('d', names, stats);
		} catch (error) {
			this.odd.push({ path: names.name, why: whyUnreadable(error) });
		}
	}

	/** @throws ShoalError ERR_LIMIT */
	#checkCount(): void {
		if (this.entries.length + this.odd.length >= this.#most) {
			throw new ShoalError(
				'ERR_LIMIT',
				`the folder is too large: it has more than ${this.#most} entries, which is the limit; share parts of it`,
			);
		}
	}

	/** Adds what is at a path. @returns whether it is shared */
	#look(names: Names): boolean {
		try {
			const stats = lstatSync(join(this.#root, names.name), { bigint: true });
			if (!stats.isDirectory()) {
				return this.#addFile(names, stats);
			}
			if (!this.scan(names)) {
				this.#add('d', names, stats);
			}
			return true;
		} catch (error) {
			if (error instanceof ShoalError) {
				throw error;
			}
			this.odd.push({ path: names.name, why: whyUnreadable(error) });
			return false;
		}
	}

	/** Adds a file or a link. @returns whether it is shared @throws errors of the file system */
	#addFile(names: Names, stats: BigIntStats): boolean {
		const full = join(this.#root, names.name);
		if (stats.isSymbolicLink()) {
			this.#add('l', names, stats, readlinkSync(full, 'buffer'));
			return true;
		}
		const why = this.#isVirtual(full, stats)
			? 'the system makes up its content when it is read'
			: whyNoFile(stats);
		if (why !== undefined) {
			this.odd.push({ path: names.name, why });
			return false;
		}
		accessSync(full, constants.R_OK);
		this.#add((stats.mode & 0o100n) !== 0n ? 'x' : 'f', names, stats);
		return true;
	}

	/** Whether a file is on a file system that generates the bytes of its files, such as /proc. */
	#isVirtual(path: string, { dev }: BigIntStats): boolean {
		const known = this.#virtual.get(dev);
		if (known !== undefined) {
			return known;
		}
		const isVirtual = isVirtualType(statfsSync(path).type);
		this.#virtual.set(dev, isVirtual);
		return isVirtual;
	}

	#add(kind: EntryKind, { path, name }: Names, stats: BigIntStats, target?: Uint8Array): void {
		this.entries.push({
			path,
			name: name === path ? undefined : name,
			kind,
			length: kind === 'd' ? 0 : (target?.length ?? Number(stats.size)),
			target,
			stamp: this.stamps.add(stats),
		});
	}
}

function below(folder: string, part: string): string {
	return folder === '' ? part : `${folder}/${part}`;
}

/**
 * Why an entry cannot be shared under its name; undefined if it can.
 *
 * @param count number of names in the folder that are the same in Unicode normal form C
 */
function whyBadName(path: string, isText: boolean, count: number): string | undefined {
	if (!isText) {
		return 'its name is not UTF-8';
	}
	return count > 1 ? 'another name differs from it only in its Unicode form' : whyNoPath(path);
}

function whyNoFile(stats: BigIntStats): string | undefined {
	if (stats.isFile()) {
		return stats.size > BigInt(MAX_LENGTH) ? `it has more than ${MAX_LENGTH} bytes` : undefined;
	}
	if (stats.isFIFO()) {
		return 'it is a pipe';
	}
	return stats.isSocket() ? 'it is a socket' : 'it is a device';
}

function whyUnreadable(error: unknown): string {
	const { code, message } = error as NodeJS.ErrnoException;
	switch (code) {
		case 'EACCES':
		case 'EPERM':
			return 'it cannot be read: permission denied';
		case 'ENOENT':
			return 'it was removed meanwhile';
		default:
			return `it cannot be read: ${message}`;
	}
}

function depthOf(path: string): number {
	return path.split('/').length;
}

function whyNoTarget(path: string, target: Uint8Array, paths: FolderPaths): string | undefined {
	if (target.length > MAX_TARGET_BYTES) {
		return `its target has more than ${MAX_TARGET_BYTES} bytes`;
	}
	return isUtf8(target)
		? whyNoLink(path, Buffer.from(target).toString(), paths)
		: 'its target is not UTF-8';
}
