import { type FolderEntry, isFile } from '../../protocol/index.ts';
import type { StoredContent } from '../storage/content-store.ts';

/** The number of wanted files of a folder, and how many of them are complete; empty for a file. */
export function filesOf(content: StoredContent | undefined): {
	readonly files?: number;
	readonly filesDone?: number;
} {
	if (content?.folder === undefined) {
		return {};
	}
	const { seed, folder, have, selected } = content;
	const stored = selected?.stored ?? have;
	const isWanted = (entry: FolderEntry): boolean =>
		isFile(entry) && (selected?.paths.has(entry.path) ?? true);
	// Empty files have no chunk to wait for.
	const empty = folder.entries.filter((entry) => entry.length === 0 && isWanted(entry)).length;
	let [files, filesDone] = [empty, empty];
	for (const { entry, offset, length } of folder.pieces) {
		if (entry !== undefined && isWanted(entry)) {
			const last = seed.layout.chunkAt(offset + length - 1);
			let chunk = seed.layout.chunkAt(offset);
			while (chunk <= last && stored.has(chunk)) {
				chunk += 1;
			}
			files += 1;
			filesDone += chunk > last ? 1 : 0;
		}
	}
	return { files, filesDone };
}
