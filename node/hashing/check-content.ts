import { Bitfield, type Seed, sameDigest } from '../../protocol/index.ts';
import { runsOf } from '../util/runs.ts';
import { type HashOptions, hashFile, hashPieces } from './hasher.ts';

/**
 * The indices of the chunks of `seed` that are right in the file at `path`, ascending.
 *
 * @param among the chunks to check; all if undefined
 * @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_FOLDER, ERR_IO, ERR_ABORTED
 */
export async function rightChunks(
	path: string,
	seed: Seed,
	options: HashOptions = {},
	among?: Bitfield,
): Promise<number[]> {
	return await chunksThatAreRight(path, seed, options, { among });
}

async function chunksThatAreRight(
	path: string,
	seed: Seed,
	options: HashOptions,
	{ among, passesUnreadable }: { among: Bitfield | undefined; passesUnreadable?: boolean },
): Promise<number[]> {
	const { chunkSize: pieceSize, length: most, chunks } = seed.layout;
	const asked =
		among === undefined ? Array.from({ length: chunks }, (_, at) => at) : [...among.indices()];
	const runs = runsOf(asked);
	const job = { path, kind: seed.kind, pieceSize, most, runs, passesUnreadable };
	const digests = await hashPieces(job, options);
	return asked.filter((chunk, at) => {
		const expected = seed.chunkDigest(chunk);
		const start = at * expected.length;
		return sameDigest(digests.subarray(start, start + expected.length), expected);
	});
}

/** The chunks of a file, compared with those of a seed. */
export interface ComparedChunks {
	/** The chunks of the seed that are right in the file. */
	readonly right: Bitfield;
	/** The digests of the chunks of the file, one after the other; zeros for one that cannot be read. */
	readonly digests: Uint8Array;
}

/** Hashes a file as far as the seed is long, and compares its chunks. @throws as {@link rightChunks} */
export async function compareChunks(
	path: string,
	seed: Seed,
	options: HashOptions,
): Promise<ComparedChunks> {
	const { chunkSize: pieceSize, length: most } = seed.layout;
	const job = { path, kind: seed.kind, pieceSize, most, passesUnreadable: true };
	const digests = await hashPieces(job, options);
	const right = new Bitfield(seed.chunks);
	for (let chunk = 0; chunk < seed.chunks; chunk += 1) {
		const expected = seed.chunkDigest(chunk);
		const start = chunk * expected.length;
		if (sameDigest(digests.subarray(start, start + expected.length), expected)) {
			right.set(chunk);
		}
	}
	return { right, digests };
}

/**
 * As {@link rightChunks}, but returns a bitfield, and counts a chunk that the disk cannot read as
 * wrong: a download fetches it again.
 */
export async function whatIsRight(
	path: string,
	seed: Seed,
	options: HashOptions,
	among?: Bitfield,
): Promise<Bitfield> {
	const right = new Bitfield(seed.chunks);
	const asked = { among, passesUnreadable: true };
	for (const chunk of await chunksThatAreRight(path, seed, options, asked)) {
		right.set(chunk);
	}
	return right;
}

/**
 * Whether the digest of the file at `path` is the digest of the whole in `seed`. Hashes the file
 * even if it has only one chunk, because that chunk may have been trusted without a check.
 *
 * @throws ShoalError the errors of the file system
 */
export async function isWhole(
	path: string,
	seed: Seed,
	options: HashOptions = {},
): Promise<boolean> {
	const digest = await hashFile(path, seed.kind, options);
	return Buffer.from(digest).toString('hex') === seed.digest;
}
