import { createHash } from 'node:crypto';
import {
	mkdir,
	readdir,
	readFile,
	realpath,
	rename,
	rm,
	stat,
	utimes,
	writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import { parseSeed, type Seed } from '../../protocol/index.ts';
import { cacheHome } from '../storage/home-folder.ts';

/** Options of a {@link SeedCache}. */
export interface SeedCacheOptions {
	/** Maximum number of entries; the least recently used are removed first. @default 1,000 */
	readonly mostEntries?: number | undefined;
	/** Maximum number of bytes of all entries together. @default 256 MiB */
	readonly mostBytes?: number | undefined;
}

const MAGIC = 'shoal seed cache 1';
const LF = 0x0a;

/**
 * A cache of seeds on disk, so that a file that has not changed is not hashed again. It has one
 * entry per file, in a folder that any number of processes can use at the same time.
 *
 * The first line of an entry has the name of the format and the SHA-256 of all other lines. These
 * are the path as JSON, the stamp of the file (its identity, size and times) and the text of the
 * seed. An entry that is damaged, or belongs to another file, is ignored and replaced. If the cache
 * fails, the error is ignored and the file is hashed.
 */
export class SeedCache {
	readonly #folder: string;
	readonly #mostEntries: number;
	readonly #mostBytes: number;

	/** Uses a folder. @param folder path of the folder, which is created when it is needed */
	constructor(folder: string, { mostEntries = 1_000, mostBytes = 2 ** 28 }: SeedCacheOptions = {}) {
		this.#folder = folder;
		this.#mostEntries = mostEntries;
		this.#mostBytes = mostBytes;
	}

	/** The cache of this user: `shoal/seeds` in the system's folder for caches. */
	static ofUser(): SeedCache {
		return new SeedCache(join(cacheHome(), 'shoal', 'seeds'));
	}

	/** The seed of the file at `path`, if there is an entry with the same stamp. @internal */
	async find(path: string, stamp: string, name: string): Promise<Seed | undefined> {
		try {
			const real = await realpath(path);
			const entry = this.#entry(real);
			const found = await stat(entry);
			if (!found.isFile() || found.size > this.#mostBytes) {
				return undefined;
			}
			const text = seedText(await readFile(entry), real, stamp);
			const seed = text && parseSeed(text, name);
			const now = new Date();
			await utimes(entry, now, now).catch(() => {});
			return seed;
		} catch {
			return undefined;
		}
	}

	/** Stores the seed of the file at `path`, which had this stamp before and after it was hashed. @internal */
	async remember(path: string, stamp: string, seed: Seed): Promise<void> {
		try {
			const real = await realpath(path);
			await mkdir(this.#folder, { recursive: true, mode: 0o700 });
			const entry = this.#entry(real);
			const temporary = `${entry}.${nanoid()}`;
			await writeFile(temporary, entryOf(real, stamp, seed), { flag: 'wx', mode: 0o600 });
			await rename(temporary, entry).catch(() => rm(temporary, { force: true }));
			await this.#prune();
		} catch {
			// The file is hashed again the next time.
		}
	}

	#entry(real: string): string {
		return join(this.#folder, createHash('sha256').update(real).digest('hex'));
	}

	/**
	 * Removes the least recently used files, also those that a process left half written, until the
	 * rest is within the limits.
	 */
	async #prune(): Promise<void> {
		const paths = (await readdir(this.#folder)).map((name) => join(this.#folder, name));
		// Another process may remove some files meanwhile.
		const found = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
		const newestFirst = paths
			.map((path, index) => ({
				path,
				size: found[index]?.size ?? 0,
				usedAt: found[index]?.mtimeMs ?? 0,
			}))
			.sort((a, b) => b.usedAt - a.usedAt);
		let bytes = 0;
		for (const [index, { path, size }] of newestFirst.entries()) {
			bytes += size;
			if (index >= this.#mostEntries || bytes > this.#mostBytes) {
				await rm(path, { force: true }).catch(() => {});
			}
		}
	}
}

function entryOf(real: string, stamp: string, seed: Seed): Buffer {
	const rest = Buffer.concat([Buffer.from(headOf(real, stamp)), seed.text()]);
	return Buffer.concat([Buffer.from(firstLine(rest)), rest]);
}

/**
 * The text of the seed in an entry; undefined unless the entry is intact and has this path and
 * stamp.
 */
function seedText(entry: Buffer, real: string, stamp: string): Buffer | undefined {
	const rest = entry.subarray(entry.indexOf(LF) + 1);
	const head = headOf(real, stamp);
	const expected = Buffer.from(firstLine(rest) + head);
	const isSound = entry.subarray(0, expected.length).equals(expected);
	return isSound ? entry.subarray(expected.length) : undefined;
}

function firstLine(rest: Uint8Array): string {
	return `${MAGIC} ${createHash('sha256').update(rest).digest('hex')}\n`;
}

function headOf(real: string, stamp: string): string {
	return `${JSON.stringify(real)}\n${stamp}\n`;
}
