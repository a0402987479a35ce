import type { StoredContent } from '../storage/content-store.ts';
import { KnownTable, type SourceHead } from './known-table.ts';
import type { OpenSource } from './open-sources.ts';
import { zerosDigest } from './zeros-digest.ts';

/** Maximum number of chunks in the table, of all contents together. */
const MOST_CHUNKS = 262_144;

/**
 * Makes a table of the contents that a node has, and a function that opens a source of the table. A
 * content whose chunks do not fit into the table is left out.
 */
export function heldTable(contents: readonly StoredContent[]): {
	readonly table: KnownTable;
	open(source: SourceHead): Promise<OpenSource>;
} {
	const taken: StoredContent[] = [];
	let chunks = 0;
	for (const content of contents) {
		const { kind, chunks: more } = content.seed;
		if (kind === 'sha256' && chunks + more <= MOST_CHUNKS) {
			taken.push(content);
			chunks += more;
		}
	}
	const sources = taken.map(({ seed, folder }) => ({
		path: seed.name,
		length: seed.length,
		chunkSize: seed.layout.chunkSize,
		chunkDigests: seed.chunkDigests(),
		digest: seed.digest,
		index: folder?.index,
	}));
	const table = KnownTable.of(sources, zerosDigest);
	const open = async (source: SourceHead): Promise<OpenSource> => {
		const { storage, folder } = taken[table.sources.indexOf(source)] as StoredContent;
		const read = (offset: number, into: Uint8Array): Promise<void> => storage.read(offset, into);
		return { read, folder, close: async () => {} };
	};
	return { table, open };
}
