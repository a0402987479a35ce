import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nanoid } from 'nanoid';
import { ensureFolder } from '../../../broker/for-nodes.ts';
import type { RecordedFolder } from '../../hashing/folder/compare-folder.ts';
import { stateHome } from '../../storage/home-folder.ts';
import { magicLine } from '../../storage/magic-line.ts';

/** The place of a recorded folder. */
export interface RecordedPlace {
	/** Absolute path, without symbolic links. */
	readonly path: string;
	/** The device and inode of the folder. */
	readonly identity: string;
}

/** The line of JSON before the index and the stamps. */
interface RecordHead extends RecordedPlace {
	readonly seed: string;
	/** Bytes of the index. */
	readonly index: number;
}

const MAGIC = 'shoal folder 1';
const LF = 0x0a;

/**
 * Records of the folders that downloads have made. A folder is replaced by a later version only if
 * its record shows that nobody has changed the folder since. A folder whose record is lost or
 * damaged is not replaced.
 */
export class FolderRecords {
	readonly #folder: string;

	/**
	 * @param folder the folder with the records, made when it is needed.
	 * @default that of this user
	 */
	constructor(folder: string = join(stateHome(), 'shoal', 'folders')) {
		this.#folder = folder;
	}

	/** The record of the folder at `path`; undefined if there is none, or if it is damaged. */
	async find(path: string, identity: string): Promise<RecordedFolder | undefined> {
		try {
			const all = await readFile(this.#pathOf({ path, identity }));
			const body = all.subarray(all.indexOf(LF) + 1);
			const head = all.subarray(0, all.indexOf(LF)).toString();
			const end = body.indexOf(LF);
			const about = JSON.parse(body.subarray(0, end).toString()) as RecordHead;
			const isSound = head === magicLine(MAGIC, body) && about.path === path;
			if (!isSound || about.identity !== identity) {
				return undefined;
			}
			const index = body.subarray(end + 1, end + 1 + about.index);
			const stamps = new BigUint64Array(
				Uint8Array.from(body.subarray(end + 1 + about.index)).buffer,
			);
			return { seed: about.seed, index: Uint8Array.from(index), stamps };
		} catch {
			return undefined;
		}
	}

	/**
	 * Stores a record, and removes the records of folders that had the same path before. Never
	 * rejects.
	 *
	 * @param present identity of the folder that is at the path now. Its record stays, because that
	 *   folder stays there if it cannot be replaced
	 */
	async keep(
		{ path, identity }: RecordedPlace,
		folder: RecordedFolder,
		present?: string,
	): Promise<void> {
		const file = this.#pathOf({ path, identity });
		const temporary = `${file}.${nanoid()}`;
		const { seed, index, stamps } = folder;
		const about: RecordHead = { path, identity, seed, index: index.length };
		try {
			ensureFolder(dirname(file), 0o700);
			const head = Buffer.from(`${JSON.stringify(about)}\n`);
			const body = [head, index, new Uint8Array(stamps.buffer)];
			const parts = [Buffer.from(`${magicLine(MAGIC, ...body)}\n`), ...body];
			await writeFile(temporary, parts, { flag: 'wx', mode: 0o600 });
			await rename(temporary, file);
			await this.#forgetOthers(path, [identity, ...(present === undefined ? [] : [present])]);
		} catch {
			// Without a record the folder is not replaced by a later version.
			await rm(temporary, { force: true }).catch(() => {});
		}
	}

	/** Removes the record of a folder that is not there any more. Never rejects. */
	async forget(place: RecordedPlace): Promise<void> {
		await rm(this.#pathOf(place), { force: true }).catch(() => {});
	}

	async #forgetOthers(path: string, identities: readonly string[]): Promise<void> {
		const kept = new Set(identities.map((identity) => this.#pathOf({ path, identity })));
		for (const name of await readdir(this.#folder)) {
			const file = join(this.#folder, name);
			if (name.startsWith(startOf(path)) && !kept.has(file)) {
				await rm(file, { force: true });
			}
		}
	}

	#pathOf({ path, identity }: RecordedPlace): string {
		return join(this.#folder, `${startOf(path)}${identity}`);
	}
}

/** The text with which the file names of all records for `path` begin. */
function startOf(path: string): string {
	return `${createHash('sha256').update(path).digest('hex')}.`;
}
