import { printableJson, type SeedListing } from '../../protocol/index.ts';
import type { FolderLevel, LevelRow } from './folder-level.ts';

/** Characters of the list of seeds that are sent at a time. */
const BATCH = 64 * 1024;

/** A listing of one level of a folder. */
export interface Listing {
	/** Seed id of the folder. */
	readonly id: string;
	/** Name of the folder. */
	readonly name: string;
	readonly level: FolderLevel;
	/** Number of symbolic links in the whole folder. */
	readonly links: number;
}

/** A listing as JSON in pieces, with a line for each entry. */
export function* listingJson({ id, name, level }: Listing): Generator<string> {
	const { path, rows, files, length } = level;
	const head = printableJson({ id, name, path, files, length });
	yield `${head.slice(0, -1)},"entries":[`;
	let separator = '\n';
	for (const row of rows) {
		yield separator + printableJson(entryOf(row, path));
		separator = ',\n';
	}
	yield '\n]}\n';
}

/**
 * A row with the member names of `shoal ls ID --json`. The member `path` begins at the root of the
 * folder.
 */
function entryOf({ name, entry, length, files }: LevelRow, folder: string) {
	const path = folder === '' ? name : `${folder}/${name}`;
	return entry === undefined || entry.kind === 'd'
		? { path, length, kind: 'd', files }
		: { path, length: entry.length, kind: entry.kind, sha256: entry.digest };
}

/** All seeds as JSON in pieces, with a line for each. */
export async function* seedsJson(seeds: AsyncIterable<SeedListing>): AsyncGenerator<string> {
	let text = '{"seeds":[';
	let separator = '\n';
	for await (const { seed: id, ...about } of seeds) {
		text += separator + printableJson({ id, ...about });
		separator = ',\n';
		if (text.length >= BATCH) {
			yield text;
			text = '';
		}
	}
	yield `${text}\n]}\n`;
}
