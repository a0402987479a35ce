import { createHash } from 'node:crypto';
import { Bitfield, type Folder, type Seed, ShoalError } from '../../../protocol/index.ts';
import type { SelectedChunks } from '../../storage/content-store.ts';

/**
 * The paths that `isWanted` selects, together with `others`; undefined if these are all paths.
 *
 * @throws ShoalError ERR_NOT_FOUND if `isWanted` selects none
 */
export function wantedPaths(
	folder: Folder,
	isWanted: (path: string) => boolean,
	others: Iterable<string>,
): ReadonlySet<string> | undefined {
	const wanted = new Set(folder.entries.map(({ path }) => path).filter(isWanted));
	if (wanted.size === 0) {
		throw new ShoalError(
			'ERR_NOT_FOUND',
			'nothing in the folder matches --only and --exclude; shoal ls ID shows what is in it',
		);
	}
	for (const path of others) {
		wanted.add(path);
	}
	return wanted.size === folder.entries.length ? undefined : wanted;
}

/** The chunks of the wanted entries. */
export function selectedChunks(
	seed: Seed,
	folder: Folder,
	wanted: ReadonlySet<string>,
): SelectedChunks {
	const [touched, whole] = [new Bitfield(seed.chunks), Bitfield.full(seed.chunks)];
	touched.setRange(0, Math.ceil(folder.index.length / seed.layout.chunkSize));
	for (const { entry, offset, length } of folder.pieces) {
		const first = seed.layout.chunkAt(offset);
		const last = seed.layout.chunkAt(offset + length - 1);
		if (entry !== undefined && wanted.has(entry.path)) {
			touched.setRange(first, last - first + 1);
		} else if (entry !== undefined) {
			for (let chunk = first; chunk <= last; chunk += 1) {
				whole.clear(chunk);
			}
		}
	}
	const stored = new Bitfield(seed.chunks);
	return { paths: wanted, wanted: touched, whole: both(whole, touched), stored };
}

/** Bytes of the chunks that are wanted and not stored. */
export function missingBytes(
	{ layout, chunks }: Seed,
	stored: Bitfield,
	selected: SelectedChunks | undefined,
): number {
	let bytes = 0;
	for (const chunk of (selected?.wanted ?? Bitfield.full(chunks)).indices()) {
		bytes += stored.has(chunk) ? 0 : layout.sizeOf(chunk);
	}
	return bytes;
}

/** The chunks that are in `a` and in `b`. */
export function both(a: Bitfield, b: Bitfield): Bitfield {
	const chunks = new Bitfield(a.size);
	for (const chunk of a.indices()) {
		if (b.has(chunk)) {
			chunks.set(chunk);
		}
	}
	return chunks;
}

/** A text that is the same for the same selection; undefined if all entries are selected. */
export function selectionId(wanted: ReadonlySet<string> | undefined): string | undefined {
	return (
		wanted &&
		createHash('sha256')
			.update([...wanted].join('\n'))
			.digest('hex')
			.slice(0, 16)
	);
}
