import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { Folder, quoted, type Seed } from '../../../protocol/index.ts';
import { onFile } from '../../storage/fs-error.ts';
import type { Output } from '../terminal/output.ts';

/** The path of the index that belongs to the seed file at `seedPath`: `X.index` beside `X.seed`. */
export function indexPathOf(seedPath: string): string {
	return `${seedPath.replace(/\.seed$/i, '')}.index`;
}

/**
 * The folder that a seed file describes, if its index lies beside it; else undefined. A file in that
 * place that is not the index of the seed is ignored, with a warning.
 *
 * @param seedPath the path of the seed file
 * @throws ShoalError ERR_SEED if the index is not safe, and the errors of the file system
 */
export async function folderBeside(
	seedPath: string,
	seed: Seed,
	output: Output,
): Promise<Folder | undefined> {
	const path = indexPathOf(seedPath);
	const found = await stat(path).catch(() => undefined);
	if (!found?.isFile()) {
		return undefined;
	}
	// A file of another length is not read: it may be of any size.
	const isAsLong = found.size === seed.index;
	const index = isAsLong ? await onFile(path, () => readFile(path)) : undefined;
	if (index === undefined || createHash('sha256').update(index).digest('hex') !== seed.digest) {
		output.warn(`${quoted(path, 300)} is not the index of this seed, and is ignored`);
		return undefined;
	}
	return new Folder(seed, index);
}
