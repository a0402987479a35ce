import { open, stat } from 'node:fs/promises';
import { parseSeed, quoted, type Seed, ShoalError } from '../../../protocol/index.ts';
import { onFile } from '../../storage/fs-error.ts';
import type { Output } from '../terminal/output.ts';

/** Bytes of the largest seed: 1,048,576 lines of 64 digits with CRLF, and room for its head. */
const MOST_BYTES = 70 * 1024 * 1024;

/**
 * Reads the seed in the file at `path`, and warns if it is a classic one, with MD5 digests.
 *
 * @throws ShoalError ERR_SEED, ERR_NAME, ERR_NO_FILE, ERR_FOLDER, ERR_PERMISSION, ERR_IO
 */
export async function readSeed(path: string, output: Output): Promise<Seed> {
	const seed = parseSeed(await onFile(path, () => readBounded(path)));
	if (seed.isClassic) {
		output.warn(
			`${quoted(path, 300)} is a classic seed: MD5 finds accidents, but proves nothing against an attacker`,
		);
	}
	return seed;
}

async function readBounded(path: string): Promise<Uint8Array> {
	// The check comes before the open, because opening a pipe without a writer blocks for ever.
	const found = await stat(path);
	if (!found.isFile() && !found.isDirectory()) {
		throw new ShoalError('ERR_SEED', `${quoted(path, 300)} is no ordinary file, so no seed`);
	}
	const file = await open(path, 'r');
	try {
		const chunks: Buffer[] = [];
		let length = 0;
		for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
			chunks.push(chunk);
			length += chunk.length;
			if (length > MOST_BYTES) {
				throw new ShoalError('ERR_SEED', `${quoted(path, 300)} is too large to be a seed`);
			}
		}
		return Buffer.concat(chunks);
	} finally {
		await file.close();
	}
}
