import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { RememberedContent, SeedCache } from '../hashing/seed-cache.ts';
import { JoinedTables } from './joined-tables.ts';
import type { KnownSource } from './known-source.ts';
import { type KnownDigests, KnownTable } from './known-table.ts';
import { openFile } from './open-known.ts';
import { readTable, writeTable } from './stored-table.ts';
import { zerosDigest } from './zeros-digest.ts';

/** Maximum length of the first line of an entry, in bytes. */
const START = 128;
/**
 * Entries, and bytes of them, that are read whole on the event loop: it takes no longer than a
 * thread takes to start and to read all others too.
 */
const FEW = 32;
const SMALL = 512 * 1024;
/** After so many entries, the event loop does something else. */
const AT_A_TIME = 64;

/**
 * Makes a table of all files and folders that a seed cache remembers, and stores it beside the
 * cache, in the file `<cache>.table`. If the cache is large, this takes long.
 *
 * @param known the result of {@link entriesOf}, if it was called a moment ago
 */
export async function tableOfCache(
	cache: SeedCache,
	known?: ReadonlyMap<string, string>,
): Promise<KnownTable> {
	const entries = known ?? (await entriesOf(cache.folder));
	const sources: KnownSource[] = [];
	const others: string[] = [];
	for (const [entry, name] of entries) {
		const source = sourceOf(await cache.entry(name), entry);
		if (source === undefined) {
			others.push(entry);
		} else {
			sources.push(source);
		}
	}
	const table = KnownTable.of(sources, zerosDigest);
	await writeTable(pathOf(cache), table, others);
	return table;
}

/**
 * The stored table of a seed cache, together with a table of the entries that were added or
 * replaced since it was made. Undefined if many entries were added, replaced or removed.
 */
export async function updatedTable(cache: SeedCache): Promise<KnownDigests | undefined> {
	const entries = await entriesOf(cache.folder);
	const stored = await readTable(pathOf(cache));
	const added = [...entries].filter(([entry]) => !stored?.entries.has(entry));
	const gone = [...(stored?.entries ?? [])].filter((entry) => !entries.has(entry));
	const paths = added.map(([, name]) => join(cache.folder, name));
	if (gone.length > FEW || !(await areFew(paths))) {
		return undefined;
	}
	if (stored === undefined) {
		return await tableOfCache(cache, entries);
	}
	const sources: KnownSource[] = [];
	for (const [entry, name] of added) {
		const source = sourceOf(await cache.entry(name), entry);
		sources.push(...(source === undefined ? [] : [source]));
	}
	const newer = KnownTable.of(sources, zerosDigest);
	return new JoinedTables([newer, stored.table], ({ entry }) => entries.has(entry ?? ''));
}

function pathOf(cache: SeedCache): string {
	return `${cache.folder}.table`;
}

async function areFew(paths: readonly string[]): Promise<boolean> {
	if (paths.length > FEW) {
		return false;
	}
	let bytes = 0;
	for (const path of paths) {
		bytes += await stat(path).then(
			({ size }) => size,
			() => 0,
		);
	}
	return bytes <= SMALL;
}

/** The digests of a content; undefined if there is none, or it has no SHA-256 digests. */
function sourceOf(content: RememberedContent | undefined, entry: string): KnownSource | undefined {
	if (content?.seed.kind !== 'sha256') {
		return undefined;
	}
	const { path, seed, index } = content;
	const { length, layout, digest } = seed;
	const { chunkSize } = layout;
	return { entry, path, length, chunkSize, chunkDigests: seed.chunkDigests(), digest, index };
}

/**
 * The names of the entries of a cache, by a text that identifies the content of the entry. That
 * text is a digest of the first bytes of the entry, which contain a digest of all others. The stats
 * of the file are not enough: the times change whenever the entry is used, and an entry that
 * replaces another may get the same inode.
 */
async function entriesOf(folder: string): Promise<ReadonlyMap<string, string>> {
	const entries = new Map<string, string>();
	for (const name of (await readdir(folder).catch(() => [])).sort()) {
		const start = new Uint8Array(START);
		// An entry that is shorter, or cannot be read, has zeros instead.
		await openFile(join(folder, name))
			.read(0, start)
			.catch(() => start.fill(0));
		const digest = createHash('sha256').update(name).update(start).digest('base64url');
		entries.set(digest, name);
		if (entries.size % AT_A_TIME === 0) {
			await setImmediate();
		}
	}
	return entries;
}
