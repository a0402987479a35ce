import {
	Bitfield,
	type Folder,
	isFile,
	quoted,
	type Seed,
	ShoalError,
} from '../../../protocol/index.ts';
import type { SelectedChunks } from '../../storage/content-store.ts';

/**
 * The chunks of some files of a folder. A browser stores whole chunks, so that each of them can be
 * shared.
 *
 * @param paths the paths of the files
 * @throws ShoalError ERR_NOT_FOUND if the folder has no such file
 */
export function selectChunks(
	seed: Seed,
	folder: Folder,
	paths: ReadonlySet<string>,
): Pick<SelectedChunks, 'paths' | 'wanted'> {
	const { layout } = seed;
	const wanted = new Bitfield(seed.chunks);
	wanted.setRange(0, Math.ceil(folder.index.length / layout.chunkSize));
	for (const path of paths) {
		const found = folder.find(path);
		if (found === undefined || !isFile(found.entry)) {
			throw new ShoalError('ERR_NOT_FOUND', `${quoted(seed.name)} has no file ${quoted(path)}`);
		}
		const { offset, entry } = found;
		if (entry.length > 0) {
			const first = layout.chunkAt(offset);
			wanted.setRange(first, layout.chunkAt(offset + entry.length - 1) + 1 - first);
		}
	}
	return { paths, wanted };
}

/** Bytes of these chunks. */
export function bytesOf({ layout }: Seed, chunks: Bitfield): number {
	const { chunkSize, length } = layout;
	const lacking = layout.chunks * chunkSize - length;
	return chunks.count * chunkSize - (chunks.has(layout.chunks - 1) ? lacking : 0);
}

/** The bytes up to the end of the last of these chunks. */
export function endOf({ layout }: Seed, chunks: Bitfield): number {
	let last = layout.chunks - 1;
	while (last >= 0 && !chunks.has(last)) {
		last -= 1;
	}
	return Math.min(layout.length, (last + 1) * layout.chunkSize);
}
