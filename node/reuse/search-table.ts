import type { StoredContent } from '../storage/content-store.ts';
import type { Finder } from './known-bytes.ts';
import type { KnownDigests, SourceHead } from './known-table.ts';
import { type OpenSource, OpenSources } from './open-sources.ts';
import { TableFinder } from './table-finder.ts';

/**
 * A search with one step: finds what `table` knows.
 *
 * @param open opens a source of the table
 * @param isOld whether sources may have changed since their digests were computed
 */
export async function* searchTable(
	content: StoredContent,
	table: KnownDigests,
	open: (source: SourceHead) => Promise<OpenSource>,
	isOld = false,
): AsyncGenerator<Finder> {
	if (table.size === 0) {
		return;
	}
	const sources = new OpenSources(open);
	try {
		yield new TableFinder(content, table, sources, isOld);
	} finally {
		await sources.close();
	}
}
