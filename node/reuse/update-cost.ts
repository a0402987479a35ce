import { type Folder, type Seed, sameDigest } from '../../protocol/index.ts';
import { LEAST_PIECE, type ReusedBytes } from './known-bytes.ts';
import { KnownTable } from './known-table.ts';
import { OpenSources } from './open-sources.ts';
import { TableFinder } from './table-finder.ts';
import { zerosDigest } from './zeros-digest.ts';

/** A version of a file or folder. */
export interface Version {
	readonly seed: Seed;
	/** The entries of a folder. Undefined: it is a file, or its index is not known. */
	readonly folder?: Folder | undefined;
}

/** The cost of a download of one version if another version is there. */
export interface UpdateCost {
	/** Bytes that are fetched, and the number of the chunks that they belong to. */
	readonly bytes: number;
	readonly chunks: number;
	/** Bytes that are not fetched. */
	readonly reused: ReusedBytes;
}

/** Finds out, from seeds and indexes alone, what an update would fetch. */
export function updateCost(from: Version, to: Version): UpdateCost {
	const { seed } = to;
	const { layout } = seed;
	const known = knownOf(from, to);
	const seen = new Set<string>();
	const reused = { place: 0, known: 0, zeros: 0, files: 0 };
	let [bytes, chunks] = [0, 0];
	for (let chunk = 0; chunk < seed.chunks; chunk += 1) {
		const digest = seed.chunkDigest(chunk);
		const size = layout.sizeOf(chunk);
		const text = Buffer.from(digest).toString('latin1');
		const origin = isInPlace(from.seed, to.seed, chunk)
			? 'place'
			: isZeros(seed, digest, size)
				? 'zeros'
				: seen.has(text)
					? 'known'
					: known.originOf(chunk);
		if (origin === undefined) {
			const pieces = known.piecesOf(chunk);
			seen.add(text);
			reused.files += pieces;
			bytes += size - pieces;
			chunks += 1;
		} else {
			reused[origin] += size;
		}
	}
	return { bytes, chunks, reused };
}

interface Known {
	originOf(chunk: number): 'known' | 'files' | undefined;
	/** Number of known bytes of a chunk that is not known as a whole. */
	piecesOf(chunk: number): number;
}

function knownOf(from: Version, to: Version): Known {
	const { length, layout, kind, digest } = from.seed;
	const isFolder = from.seed.index !== undefined;
	if (kind !== 'sha256' || (isFolder && from.folder === undefined)) {
		return { originOf: () => undefined, piecesOf: () => 0 };
	}
	const { chunkSize } = layout;
	const chunkDigests = from.seed.chunkDigests();
	const index = from.folder?.index;
	const source = { path: from.seed.name, length, chunkSize, chunkDigests, digest, index };
	const table = KnownTable.of([source], zerosDigest);
	// Nothing is read: candidates and pieces are only counted.
	const sources = new OpenSources(() => Promise.reject(new Error('nothing is read')));
	const finder = new TableFinder(to, table, sources);
	return {
		originOf: (chunk) => [...finder.candidates(chunk)][0]?.origin,
		piecesOf: (chunk) => {
			const lengths = [...finder.pieces(chunk)].map((piece) => piece.length);
			return lengths.filter((each) => each >= LEAST_PIECE).reduce((sum, each) => sum + each, 0);
		},
	};
}

/**
 * Whether both versions are files and have the same chunk at the same offset. A folder is written
 * anew, so none of its chunks is in its place.
 */
function isInPlace(from: Seed, to: Seed, chunk: number): boolean {
	return (
		from.index === undefined &&
		to.index === undefined &&
		from.kind === to.kind &&
		from.layout.chunkSize === to.layout.chunkSize &&
		chunk < from.chunks &&
		sameDigest(from.chunkDigest(chunk), to.chunkDigest(chunk))
	);
}

function isZeros({ kind }: Seed, digest: Uint8Array, size: number): boolean {
	return kind === 'sha256' && sameDigest(digest, zerosDigest(size));
}
