import { createHash } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { randomFile, sha256 } from '../../helpers/harness/shoal.ts';

/** The name of the file or folder that a swarm moves. */
export const NAME = 'payload';

/** Files in one folder of a payload. */
const IN_FOLDER = 100;

/** What a swarm moves. */
export interface Payload {
	readonly path: string;
	/** As {@link digestOf} computes it. */
	readonly digest: string;
}

/**
 * Makes the payload below `folder`, of random bytes.
 *
 * @param files the number of files; undefined: the payload is one file
 */
export async function makePayload(
	folder: string,
	length: number,
	files: number | undefined,
): Promise<Payload> {
	const path = join(folder, `${length}-${files ?? 'file'}`, NAME);
	await mkdir(join(path, '..'));
	if (files === undefined) {
		return { path, digest: await randomFile(path, length) };
	}
	for (let index = 0; index < files; index += 1) {
		const into = join(path, `folder-${Math.floor(index / IN_FOLDER)}`);
		if (index % IN_FOLDER === 0) {
			await mkdir(into, { recursive: true });
		}
		await randomFile(join(into, `file-${index}`), Math.floor(length / files));
	}
	return { path, digest: await digestOf(path, files) };
}

/** The digest of a payload, for comparison; of a folder, that of all paths and digests of files. */
export async function digestOf(path: string, files: number | undefined): Promise<string> {
	if (files === undefined) {
		return await sha256(path);
	}
	const found = await readdir(path, { recursive: true, withFileTypes: true });
	const paths = found
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name));
	const hash = createHash('sha256');
	for (const file of paths.sort()) {
		hash.update(`${file.slice(path.length)} ${await sha256(file)}\n`);
	}
	return hash.digest('hex');
}
