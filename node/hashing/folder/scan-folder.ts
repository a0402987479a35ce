import { isUtf8 } from 'node:buffer';
import {
	accessSync,
	type BigIntStats,
	constants,
	lstatSync,
	readdirSync,
	readlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import {
	comparePaths,
	type EntryKind,
	FolderPaths,
	MAX_LENGTH,
	whyNoLink,
	whyNoPath,
} from '../../../protocol/index.ts';
import { type EntryStamps, StampList } from '../../storage/folder/entry-stamps.ts';

/** An entry of a folder on the disk, whose bytes were not read yet. */
export interface ScannedEntry {
	/** Path below the folder, in Unicode normal form C. */
	readonly path: string;
	/** The path on the disk, if it is another one. */
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
	/** In the same order. */
	readonly stamps: EntryStamps;
	/** What is not among the entries, because it cannot be shared. */
	readonly odd: readonly OddEntry[];
}

/**
 * Reads which entries the folder at `root` has. No link is followed.
 *
 * @param isExcluded whether to leave out the entry at a path, and all that is below it
 * @throws errors of the file system if the folder itself cannot be read
 */
export function scanFolder(
	root: string,
	isExcluded: (path: string) => boolean = () => false,
): Scan {
	const scanner = new Scanner(root, isExcluded);
	scanner.scan({ path: '', name: '' });
	const { odd } = scanner;
	const entries = withoutBadLinks(scanner.entries, odd);
	entries.sort((a, b) => comparePaths(a.path, b.path));
	const stamps = scanner.stamps.take(entries.map(({ stamp }) => stamp));
	return { entries, stamps, odd };
}

/** A path in form C, and the same path as it is on the disk. */
interface Names {
	readonly path: string;
	readonly name: string;
}

/** Reads a folder and the folders in it. */
class Scanner {
	readonly entries: StampedEntry[] = [];
	readonly stamps = new StampList();
	readonly odd: OddEntry[] = [];
	readonly #root: string;
	readonly #isExcluded: (path: string) => boolean;

	constructor(root: string, isExcluded: (path: string) => boolean) {
		this.#root = root;
		this.#isExcluded = isExcluded;
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
			const why = whyBadName(names.path, isText, counts.get(names.path) as number);
			if (why !== undefined) {
				this.odd.push({ path: names.name, why });
			} else if (this.#look(names)) {
				isEmpty = false;
			}
		}
		return !isEmpty;
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
		const why = whyNoFile(stats);
		if (why !== undefined) {
			this.odd.push({ path: names.name, why });
			return false;
		}
		accessSync(full, constants.R_OK);
		this.#add((stats.mode & 0o100n) !== 0n ? 'x' : 'f', names, stats);
		return true;
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

/** Why an entry cannot be shared under its name; undefined if it can. `count`: names of this form. */
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

/** Leaves out links that lead out of the folder, to a link, or to nothing. */
function withoutBadLinks(entries: readonly StampedEntry[], odd: OddEntry[]): StampedEntry[] {
	if (entries.every(({ kind }) => kind !== 'l')) {
		return [...entries];
	}
	const paths = new FolderPaths(entries.map((entry) => ({ ...entry, digest: '' })));
	return entries.filter(({ path, name = path, target }) => {
		const why = target && whyNoTarget(path, target, paths);
		if (why !== undefined) {
			odd.push({ path: name, why: `it is a link, and ${why}` });
		}
		return why === undefined;
	});
}

function whyNoTarget(path: string, target: Uint8Array, paths: FolderPaths): string | undefined {
	return isUtf8(target)
		? whyNoLink(path, Buffer.from(target).toString(), paths)
		: 'its target is not UTF-8';
}
