import { open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nanoid } from 'nanoid';
import * as v from 'valibot';
import { DigestTable, type DigestTableArrays } from './digest-table.ts';
import { KnownTable, type SourceHead } from './known-table.ts';

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sizes = v.strictObject({ starts: natural, places: natural });
const headOf = v.strictObject({
	magic: v.literal('shoal known contents 2'),
	sources: v.array(
		v.strictObject({
			entry: v.string(),
			path: v.string(),
			length: natural,
			chunkSize: v.pipe(natural, v.minValue(1)),
			isFolder: v.boolean(),
			firstChunk: natural,
			firstFile: natural,
		}),
	),
	/** The entries of the cache that gave no source. */
	others: v.array(v.string()),
	chunks: sizes,
	files: sizes,
});
type Head = v.InferOutput<typeof headOf>;

/** The numbers of the tables begin at a multiple of this many bytes. */
const ALIGNED = 4;
const LF = 0x0a;
/** ms. The process that wrote an incomplete table older than this has ended. */
const LEFT = 3_600_000;

/** A table that was read, and the entries of the seed cache that it was made from. */
export interface StoredTable {
	readonly table: KnownTable;
	readonly entries: ReadonlySet<string>;
}

/**
 * Reads a stored table. Its first line is JSON. Then come the numbers of the two tables of digests;
 * each number has 4 bytes, in the byte order of this machine.
 *
 * @returns undefined if there is no table, or it is damaged
 */
export async function readTable(path: string): Promise<StoredTable | undefined> {
	try {
		const bytes = await readFile(path);
		const end = bytes.indexOf(LF) + 1;
		const head = v.parse(headOf, JSON.parse(bytes.subarray(0, end).toString()));
		const numbers = new Uint32Array(bytes.buffer, bytes.byteOffset + end);
		const entries = new Set([...head.sources.map(({ entry }) => entry), ...head.others]);
		return { table: tableOf(head, numbers), entries };
	} catch {
		return undefined;
	}
}

/**
 * Stores a table for later processes. If that fails, later processes make the table again.
 *
 * @param others the entries of the cache that gave no source
 */
export async function writeTable(
	path: string,
	table: KnownTable,
	others: readonly string[],
): Promise<void> {
	const temporary = `${path}.${nanoid()}`;
	const { sources, chunks, files } = table;
	const head: Head = {
		magic: 'shoal known contents 2',
		sources: sources.map((source) => ({ ...source, entry: source.entry ?? '' })),
		others: [...others],
		chunks: sizesOf(chunks),
		files: sizesOf(files),
	};
	try {
		const file = await open(temporary, 'wx', 0o600);
		try {
			await writeFile(file, padded(JSON.stringify(head)));
			for (const { arrays } of [chunks, files]) {
				for (const numbers of [arrays.starts, arrays.words, arrays.places]) {
					await writeFile(
						file,
						new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength),
					);
				}
			}
		} finally {
			await file.close();
		}
		await rename(temporary, path);
		await removeLeft(path);
	} catch {
		await rm(temporary, { force: true }).catch(() => {});
	}
}

/** Removes incomplete tables of processes and threads that were ended while they wrote. */
async function removeLeft(path: string): Promise<void> {
	const folder = dirname(path);
	for (const name of await readdir(folder)) {
		const left = join(folder, name);
		if (name.startsWith(`${basename(path)}.`) && Date.now() - (await stat(left)).mtimeMs > LEFT) {
			await rm(left, { force: true });
		}
	}
}

/** A line whose length in bytes is a multiple of {@link ALIGNED}. */
function padded(line: string): string {
	const over = (Buffer.byteLength(line) + 1) % ALIGNED;
	return `${line}${' '.repeat((ALIGNED - over) % ALIGNED)}\n`;
}

function sizesOf({ arrays }: DigestTable): Head['chunks'] {
	return { starts: arrays.starts.length, places: arrays.places.length };
}

/** @throws Error if the numbers are not those of two tables */
function tableOf({ sources, chunks, files }: Head, numbers: Uint32Array): KnownTable {
	let at = 0;
	const take = (count: number): Uint32Array => {
		at += count;
		return numbers.subarray(at - count, at);
	};
	const tables = [chunks, files].map(({ starts, places }) => {
		const arrays = { starts: take(starts), words: take(2 * places), places: take(places) };
		checkStarts(arrays);
		return new DigestTable(arrays);
	});
	if (at !== numbers.length) {
		throw new Error('the table has another length than its head says');
	}
	checkSources(sources, chunks.places + files.places);
	return new KnownTable(sources, ...(tables as [DigestTable, DigestTable]));
}

/** @throws Error if the buckets of a table are not in order, or their number is no power of two */
function checkStarts({ starts, places }: DigestTableArrays): void {
	const buckets = starts.length - 1;
	let isRight = Number.isInteger(Math.log2(buckets)) && buckets > 1 && starts[0] === 0;
	for (let bucket = 0; bucket < buckets; bucket += 1) {
		isRight &&= (starts[bucket] as number) <= (starts[bucket + 1] as number);
	}
	if (!isRight || starts[buckets] !== places.length) {
		throw new Error('the buckets of the table are damaged');
	}
}

/** @throws Error if there is no source for the digests, or the sources are not in order */
function checkSources(sources: readonly SourceHead[], digests: number): void {
	let [chunk, file] = [0, 0];
	let isRight = sources.length > 0 ? isFirst(sources[0]) : digests === 0;
	for (const { firstChunk, firstFile } of sources) {
		isRight &&= firstChunk >= chunk && firstFile >= file;
		[chunk, file] = [firstChunk, firstFile];
	}
	if (!isRight) {
		throw new Error('the sources of the table are damaged');
	}
}

function isFirst(source: SourceHead | undefined): boolean {
	return source?.firstChunk === 0 && source.firstFile === 0;
}
