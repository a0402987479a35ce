import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import {
	checkName,
	chooseChunkSize,
	printable,
	quoted,
	Seed,
	ShoalError,
} from '../../protocol/index.ts';
import { stampOf } from '../storage/file-stamp.ts';
import { onFile } from '../storage/fs-error.ts';
import { type HashOptions, hashFile, hashPieces } from './hasher.ts';
import type { SeedCache } from './seed-cache.ts';

/** Options of {@link makeSeed}. */
export interface MakeSeedOptions extends HashOptions {
	/** File name in the seed, which other nodes see. @default the name of the file */
	readonly name?: string | undefined;
	/** Cache of seeds: a file that has not changed since is not hashed again. @default none: every file is hashed */
	readonly cache?: SeedCache | undefined;
	/** Called if the seed was in the cache, so that nothing is hashed. @default none */
	readonly onRemembered?: (() => void) | undefined;
}

/** A seed, and the stamp its file had before and after it was made. */
export interface StampedSeed {
	readonly seed: Seed;
	readonly stamp: string;
}

/** Smaller files are hashed in less time than their seeds are looked up in, and would crowd out others. */
const LEAST_REMEMBERED = 256 * 1024;
/** ms within which file systems, those of 2 s such as FAT among them, may give two changes one time. */
const RACY = 2_500;
/** The same for the clock of an operating system. */
const CLOCK_TICK = 20;

/**
 * Makes the seed of a file. Two workers read the file at the same time, one for the digest of the whole and one for the
 * digests of the chunks, so `onBytes` counts every byte twice.
 *
 * @throws ShoalError ERR_FOLDER, ERR_NAME, ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_ABORTED, or
 *   ERR_CHANGED if the file changed meanwhile
 */
export async function makeSeed(path: string, options: MakeSeedOptions = {}): Promise<Seed> {
	return (await makeStampedSeed(path, options)).seed;
}

/** As {@link makeSeed}, and says of which state of the file it is. @throws as makeSeed */
export async function makeStampedSeed(
	path: string,
	options: MakeSeedOptions = {},
): Promise<StampedSeed> {
	const name = checkName((options.name ?? basename(resolve(path))).normalize('NFC'));
	const before = await statAtRest(path);
	const stamp = stampOf(before);
	const length = Number(before.size);
	const cache = length < LEAST_REMEMBERED ? undefined : options.cache;
	const remembered = await cache?.find(path, stamp, name);
	if (remembered !== undefined) {
		options.onRemembered?.();
		return { seed: remembered, stamp };
	}
	const isRacy = isYounger(before, RACY);
	const pieceSize = chooseChunkSize(length);
	const [digest, chunkDigests] = await Promise.all([
		hashFile(path, 'sha256', options),
		hashPieces({ path, kind: 'sha256', pieceSize }, options),
	]);
	if (stampOf(await statFile(path)) !== stamp) {
		throw new ShoalError(
			'ERR_CHANGED',
			`${quoted(path, 300)} changed while it was hashed; try again when it is at rest`,
		);
	}
	const seed = new Seed({ name, length, kind: 'sha256', digest, chunkDigests });
	if (!isRacy) {
		await cache?.remember(path, stamp, seed);
	}
	return { seed, stamp };
}

/** What the system says of a file, once the next change of it is sure to get another time. */
async function statAtRest(path: string): Promise<BigIntStats> {
	const found = await statFile(path);
	if (!isYounger(found, CLOCK_TICK)) {
		return found;
	}
	await new Promise((resolve) => setTimeout(resolve, CLOCK_TICK));
	return await statFile(path);
}

/** Whether the last change is less than `ms` ago: one that follows might get the same time. */
function isYounger({ mtimeMs, ctimeMs }: BigIntStats, ms: number): boolean {
	return Math.max(Number(mtimeMs), Number(ctimeMs)) > Date.now() - ms;
}

/** What the system says of a file that can be shared. @throws as {@link makeSeed} */
async function statFile(path: string): Promise<BigIntStats> {
	const found = await onFile(path, () => stat(path, { bigint: true }));
	if (found.isDirectory()) {
		const folder = printable(basename(resolve(path)));
		throw new ShoalError(
			'ERR_FOLDER',
			`${quoted(path, 300)} is a folder, and folders cannot be shared yet; pack it: tar -cf ${folder}.tar ${folder}`,
		);
	}
	if (!found.isFile()) {
		throw new ShoalError('ERR_IO', `${quoted(path, 300)} is no ordinary file`);
	}
	return found;
}
