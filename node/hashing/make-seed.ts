import type { BigIntStats } from 'node:fs';
import { basename } from 'node:path';
import {
	checkName,
	chooseChunkSize,
	isShoalError,
	quoted,
	Seed,
	ShoalError,
} from '../../protocol/index.ts';
import { CLOCK_TICK, RACY, stampOf } from '../storage/file-stamp.ts';
import { absolutePath, statReadable, statRegular } from '../storage/regular-file.ts';
import { checkArgument, TEXT } from '../util/check-options.ts';
import { type HashOptions, hashFile, hashPieces } from './hasher.ts';
import type { SeedCache } from './seed-cache.ts';

/** Options of {@link makeSeed}. */
export interface MakeSeedOptions extends HashOptions {
	/** File name in the seed, which other nodes see. @default the name of the file */
	readonly name?: string | undefined;
	/**
	 * Cache of seeds: a file that has not changed since it was last hashed is not hashed again.
	 * @default none: every file is hashed
	 */
	readonly cache?: SeedCache | undefined;
	/** Called if the seed was in the cache, so that nothing is hashed. @default none */
	readonly onRemembered?: (() => void) | undefined;
}

/** A seed, and the stamp that its file had before and after it was made. */
export interface StampedSeed {
	readonly seed: Seed;
	readonly stamp: string;
}

/**
 * Bytes of the smallest file whose seed is cached. To hash a smaller file takes less time than to
 * look up its seed, and its entry would evict the entries of larger files.
 */
const LEAST_REMEMBERED = 256 * 1024;

/**
 * Makes the seed of a file. Two workers read the file at the same time, one for the digest of the
 * whole and one for the digests of the chunks, so `onBytes` counts every byte twice.
 *
 * @throws ShoalError ERR_FOLDER, ERR_NAME, ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_ABORTED,
 *   ERR_LIMIT if the file is longer than a seed can describe, or ERR_CHANGED if the file changed
 *   meanwhile
 */
export async function makeSeed(path: string, options: MakeSeedOptions = {}): Promise<Seed> {
	checkArgument('path', path, TEXT);
	return (await makeStampedSeed(path, options)).seed;
}

/**
 * Checks whether the file at `path` can be shared, as far as that is possible without reading it.
 *
 * @param name as {@link MakeSeedOptions.name}
 * @returns the length of the file in bytes, and its name in the seed
 * @throws ShoalError as {@link makeSeed}
 */
export async function checkShareable(
	path: string,
	name?: string,
): Promise<{ readonly length: number; readonly name: string }> {
	const absolute = absolutePath(path);
	const { size } = await statReadable(absolute);
	return { length: Number(size), name: nameOf(absolute, name) };
}

/**
 * As {@link makeSeed}; also returns the stamp of the file that the seed describes.
 *
 * @throws as makeSeed
 */
export async function makeStampedSeed(
	path: string,
	options: MakeSeedOptions = {},
): Promise<StampedSeed> {
	const absolute = absolutePath(path);
	const name = nameOf(absolute, options.name);
	const before = await statAtRest(absolute);
	const stamp = stampOf(before);
	const length = Number(before.size);
	const cache = length < LEAST_REMEMBERED ? undefined : options.cache;
	const remembered = await cache?.find(absolute, stamp, name);
	if (remembered !== undefined) {
		options.onRemembered?.();
		return { seed: remembered, stamp };
	}
	const isRacy = isYounger(before, RACY);
	const pieceSize = chooseChunkSize(length);
	const [digest, chunkDigests] = await Promise.all([
		hashFile(absolute, 'sha256', options),
		hashPieces({ path: absolute, kind: 'sha256', pieceSize }, options),
	]);
	const isSame = await statRegular(absolute).then(
		(after) => stampOf(after) === stamp,
		() => false,
	);
	if (!isSame) {
		throw new ShoalError(
			'ERR_CHANGED',
			`${quoted(path, 300)} changed, or was moved or removed, while it was hashed`,
		);
	}
	const seed = new Seed({ name, length, kind: 'sha256', digest, chunkDigests });
	if (!isRacy) {
		await cache?.remember(absolute, stamp, seed);
	}
	return { seed, stamp };
}

/**
 * The stats of a file, taken so long after its last change that the next change gets another time.
 */
async function statAtRest(path: string): Promise<BigIntStats> {
	const found = await statRegular(path);
	if (!isYounger(found, CLOCK_TICK)) {
		return found;
	}
	await new Promise((resolve) => setTimeout(resolve, CLOCK_TICK));
	return await statRegular(path);
}

/**
 * Whether the last change is less than `ms` ago, so that the next change might get the same time.
 */
function isYounger({ mtimeMs, ctimeMs }: BigIntStats, ms: number): boolean {
	return Math.max(Number(mtimeMs), Number(ctimeMs)) > Date.now() - ms;
}

/**
 * The name in the seed of the file or folder at `path`.
 *
 * @param name a name to use in place of its own
 * @throws ShoalError ERR_NAME, whose message says what to do
 */
export function nameOf(path: string, name: string | undefined): string {
	try {
		return checkName((name ?? basename(path)).normalize('NFC'));
	} catch (error) {
		if (name !== undefined || !isShoalError(error, 'ERR_NAME')) {
			throw error;
		}
		throw new ShoalError(
			'ERR_NAME',
			`${error.message}; rename it, or choose another name with --name`,
		);
	}
}
