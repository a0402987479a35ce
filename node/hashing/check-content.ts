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
