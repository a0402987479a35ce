import type { Stats } from 'node:fs';
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
import { onFile } from '../storage/fs-error.ts';
import { type HashOptions, hashFile, hashPieces } from './hasher.ts';

/** Options of {@link makeSeed}. */
export interface MakeSeedOptions extends HashOptions {
	/** The name in the seed, which others see. @default the name of the file */
	readonly name?: string | undefined;
}

/** What is the same before and after, if nobody has changed the file. */
const STAMP = ['ino', 'size', 'mtimeMs', 'ctimeMs'] as const;

/**
 * The seed of a file. Reads it twice at the same time, once for the whole and once for the chunks,
 * each at the speed of one SHA-256 stream; `onBytes` counts every byte twice.
 *
 * @throws ShoalError ERR_FOLDER, ERR_NAME, ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_ABORTED, or
 *   ERR_CHANGED if the file changed meanwhile
 */
export async function makeSeed(path: string, options: MakeSeedOptions = {}): Promise<Seed> {
	const name = checkName((options.name ?? basename(resolve(path))).normalize('NFC'));
	const before = await statFile(path);
	const pieceSize = chooseChunkSize(before.size);
	const [digest, chunkDigests] = await Promise.all([
		hashFile(path, 'sha256', options),
		hashPieces({ path, kind: 'sha256', pieceSize }, options),
	]);
	const after = await statFile(path);
	if (STAMP.some((field) => before[field] !== after[field])) {
		throw new ShoalError(
			'ERR_CHANGED',
			`${quoted(path, 300)} changed while it was hashed; try again when it is at rest`,
		);
	}
	return new Seed({ name, length: before.size, kind: 'sha256', digest, chunkDigests });
}

/** What the system says of a file that can be shared. @throws as {@link makeSeed} */
export async function statFile(path: string): Promise<Stats> {
	const found = await onFile(path, () => stat(path));
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
