import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, statfs } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Scope } from '../../helpers/harness/suite.ts';

/** Writes a sparse file of `length` bytes, with blocks of random bytes at these offsets. */
export async function makeSparseFile(
	path: string,
	length: number,
	offsets: readonly number[],
	block: number,
	random: () => number,
): Promise<void> {
	const file = await open(path, 'w');
	await file.truncate(length);
	for (const offset of offsets) {
		const bytes = Uint32Array.from({ length: block / 4 }, () => random() * 2 ** 32);
		await file.write(new Uint8Array(bytes.buffer), 0, block, offset);
	}
	await file.close();
}

/**
 * Makes the folder `path` with space for a sparse file of `bytes` bytes. If its disk has less
 * space, a tmpfs is mounted there, in which holes take no memory.
 *
 * @returns whether there is enough space
 */
export async function makeRoom(t: Scope, path: string, bytes: number): Promise<boolean> {
	await mkdir(path, { recursive: true });
	const { bavail, bsize } = await statfs(path);
	if (bavail * bsize > bytes) {
		return true;
	}
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'shoal-torture', path], {
			stdio: 'ignore',
		});
	} catch {
		return false;
	}
	t.defer(() => execFileSync('umount', [path]));
	return true;
}

/** SHA-256 of all bytes of a stream, in hex. */
export async function digestOf(stream: Readable): Promise<string> {
	const hash = createHash('sha256');
	for await (const bytes of stream) {
		hash.update(bytes);
	}
	return hash.digest('hex');
}

/** SHA-256 of a range of a file, both ends inclusive. */
export async function digestOfRange(path: string, start: number, end: number): Promise<string> {
	return await digestOf(createReadStream(path, { start, end, highWaterMark: 1_048_576 }));
}
