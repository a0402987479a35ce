import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder } from '../../broker/for-nodes.ts';
import { isSeedId, type Seed } from '../../protocol/index.ts';
import { onFile } from '../storage/fs-error.ts';

/**
 * Copies of the versions of a channel, so that a folder that is edited in place can be shared as it
 * was published. Each copy is in a folder with the name of its seed id.
 */
export class VersionCopies {
	readonly #folder: string;

	/** @param folder is created when it is needed */
	constructor(folder: string) {
		this.#folder = folder;
	}

	/** The path of the copy of a version; undefined if there is none. */
	async find(seed: string): Promise<string | undefined> {
		const folder = join(this.#folder, seed);
		const names = await readdir(folder).catch(() => []);
		const name = names.find((each) => !/\.(part|journal|shoal-lock)$/.test(each));
		return name === undefined ? undefined : join(folder, name);
	}

	/**
	 * Makes the copy of a version with `copy`, unless there is one.
	 *
	 * @param copy gets the path to which it has to copy the content
	 * @throws ShoalError ERR_NO_SPACE, ERR_PERMISSION, ERR_IO, and what `copy` throws
	 */
	async make({ id, name }: Seed, copy: (path: string) => Promise<unknown>): Promise<string> {
		const folder = join(this.#folder, id);
		await onFile(folder, () => ensureFolder(folder, 0o700));
		const path = join(folder, name);
		const isThere = await stat(path).then(
			() => true,
			() => false,
		);
		if (!isThere) {
			await copy(path);
		}
		// The time says which version was published last.
		const now = new Date();
		await utimes(folder, now, now).catch(() => {});
		return path;
	}

	/**
	 * Removes all copies but the newest. Never rejects.
	 *
	 * @param keep number of copies that stay
	 * @param needed seed ids whose copies stay, whatever `keep` is
	 */
	async prune(keep: number, needed: ReadonlySet<string>): Promise<void> {
		const ids = (await readdir(this.#folder).catch(() => [])).filter(isSeedId);
		const dated = await Promise.all(
			ids.map(async (id) => {
				const path = join(this.#folder, id);
				const madeAt = await stat(path).then(
					({ mtimeMs }) => mtimeMs,
					() => 0,
				);
				return { id, path, madeAt };
			}),
		);
		const newestFirst = dated.sort((a, b) => b.madeAt - a.madeAt);
		for (const { id, path } of newestFirst.slice(keep)) {
			if (!needed.has(id)) {
				await rm(path, { recursive: true, force: true }).catch(() => {});
			}
		}
	}
}
