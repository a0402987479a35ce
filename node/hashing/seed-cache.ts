import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import { ensureFolder } from '../../broker/for-nodes.ts';
import { parseSeed, type Seed } from '../../protocol/index.ts';
import { cacheHome } from '../storage/home-folder.ts';
import { magicLine } from '../storage/magic-line.ts';

/** Options of a {@link SeedCache}. */
export interface SeedCacheOptions {
	/** Maximum number of entries; the least recently used are removed first. @default 1,000 */
	readonly mostEntries?: number | undefined;
	/** Maximum number of bytes of all entries together. @default 256 MiB */
	readonly mostBytes?: number | undefined;
}

/** A folder as it was remembered. */
export interface RememberedFolder {
	readonly seed: Seed;
	readonly index: Uint8Array;
	/** The {@link folderStamp} that the folder had. */
	readonly stamp: string;
}

/** A file or folder that the cache has an entry of. It may have changed since. */
export interface RememberedContent {
	readonly path: string;
	readonly seed: Seed;
	/** The index of a folder. */
	readonly index: Uint8Array | undefined;
}

const MAGIC = 'shoal seed cache 1';
/** The name of every seed from {@link SeedCache.entry}, whose callers need only the digests. */
const NAME = 'content';
const LF = 0x0a;
/** The line of an entry with the stamp of a folder and the length of its index in bytes. */
const FOLDER_STAMP = /^folder ([0-9a-f]{64}) (\d{1,8})$/;

/**
 * A cache of seeds on disk, so that a file or folder that has not changed is not hashed again. It has
 * one entry for each, in a folder that any number of processes can use at the same time.
 *
 * The first line of an entry has the name of the format and the SHA-256 of all other lines. These
 * are the path as JSON, the stamp of the file (its identity, size and times) and the text of the
 * seed. For a folder, the stamp is a digest of the stamps of all files, and the index stands before
 * the seed. An entry that is damaged, or belongs to another file, is ignored and replaced. If the
 * cache fails, the error is ignored and the file is hashed.
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
		return await this.#open(path, (found, body) => {
			return found === stamp ? parseSeed(body, name) : undefined;
		});
	}

	/** The folder at `path` as it was remembered, if there is an entry. @internal */
	async findFolder(path: string, name: string): Promise<RememberedFolder | undefined> {
		return await this.#open(path, (found, body) => {
			const [, stamp, digits] = FOLDER_STAMP.exec(found) ?? [];
			return stamp === undefined
				? undefined
				: {
						stamp,
						index: body.subarray(0, Number(digits)),
						seed: parseSeed(body.subarray(Number(digits)), name),
					};
		});
	}

	/** Stores the seed of the file at `path`, which had this stamp before and after it was hashed. @internal */
	async remember(path: string, stamp: string, seed: Seed): Promise<void> {
		await this.#store(path, stamp, [seed.text()]);
	}

	/** Stores a folder at `path`, which had this stamp before and after it was hashed. @internal */
	async rememberFolder(path: string, { stamp, seed, index }: RememberedFolder): Promise<void> {
		await this.#store(path, `folder ${stamp} ${index.length}`, [index, seed.text()]);
	}

	/** The folder of the entries. @internal */
	get folder(): string {
		return this.#folder;
	}

	/** Whether it has no entry, so that it need not be searched. @internal */
	async isEmpty(): Promise<boolean> {
		return (await readdir(this.#folder).catch(() => [])).length === 0;
	}

	/** The content of the entry in the file `name`; undefined if it is damaged or gone. @internal */
	async entry(name: string): Promise<RememberedContent | undefined> {
		try {
			return contentOf(await readFile(join(this.#folder, name)));
		} catch {
			return undefined;
		}
	}

	/**
	 * Reads the entry of `path` with `parse`, which gets the stamp and the bytes after it. Undefined
	 * if there is no sound entry, or `parse` returns undefined.
	 */
	async #open<T>(
		path: string,
		parse: (stamp: string, body: Buffer) => T | undefined,
	): Promise<T | undefined> {
		try {
			const real = await realpath(path);
			const entry = this.#pathOf(real);
			const found = await stat(entry);
			if (!found.isFile() || found.size > this.#mostBytes) {
				return undefined;
			}
			const { stamp, body } = stampAndBody(await readFile(entry), real) ?? {};
			const parsed = stamp === undefined || body === undefined ? undefined : parse(stamp, body);
			if (parsed !== undefined) {
				const now = new Date();
				await utimes(entry, now, now).catch(() => {});
			}
			return parsed;
		} catch {
			return undefined;
		}
	}

	async #store(path: string, stamp: string, body: readonly Uint8Array[]): Promise<void> {
		try {
			const real = await realpath(path);
			ensureFolder(this.#folder, 0o700);
			const entry = this.#pathOf(real);
			const temporary = `${entry}.${nanoid()}`;
			await writeFile(temporary, entryOf(real, stamp, body), { flag: 'wx', mode: 0o600 });
			await rename(temporary, entry).catch(() => rm(temporary, { force: true }));
			await this.#prune();
		} catch {
			// It is hashed again the next time.
		}
	}

	#pathOf(real: string): string {
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

function entryOf(real: string, stamp: string, body: readonly Uint8Array[]): Buffer {
	const rest = Buffer.concat([Buffer.from(`${pathLine(real)}${stamp}\n`), ...body]);
	return Buffer.concat([Buffer.from(`${magicLine(MAGIC, rest)}\n`), rest]);
}

/** The parts of an entry; undefined unless it is intact and has this path. */
function stampAndBody(
	entry: Buffer,
	real: string,
): { readonly stamp: string; readonly body: Buffer } | undefined {
	const rest = entry.subarray(entry.indexOf(LF) + 1);
	const head = Buffer.from(`${magicLine(MAGIC, rest)}\n${pathLine(real)}`);
	const end = entry.indexOf(LF, head.length);
	const isSound = entry.subarray(0, head.length).equals(head) && end >= 0;
	return isSound
		? { stamp: entry.subarray(head.length, end).toString(), body: entry.subarray(end + 1) }
		: undefined;
}

/** The content that an entry describes; undefined if the entry is damaged. @throws ShoalError ERR_SEED */
function contentOf(entry: Buffer): RememberedContent | undefined {
	const start = entry.indexOf(LF) + 1;
	const path = JSON.parse(entry.subarray(start, entry.indexOf(LF, start)).toString()) as unknown;
	const { stamp, body } = (typeof path === 'string' && stampAndBody(entry, path)) || {};
	if (typeof path !== 'string' || stamp === undefined || body === undefined) {
		return undefined;
	}
	const indexBytes = Number(FOLDER_STAMP.exec(stamp)?.[2] ?? 0);
	const index = indexBytes > 0 ? body.subarray(0, indexBytes) : undefined;
	return { path, index, seed: parseSeed(body.subarray(indexBytes), NAME) };
}

function pathLine(real: string): string {
	return `${JSON.stringify(real)}\n`;
}
