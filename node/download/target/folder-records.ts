import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nanoid } from 'nanoid';
import { stateHome } from '../../storage/home-folder.ts';

/** What this program has put into a folder. */
export interface FolderRecord {
	/** Absolute path, without symbolic links. */
	readonly path: string;
	/** The device and inode of the folder. */
	readonly identity: string;
	/** Seed id. */
	readonly seed: string;
	/** The stamp of each entry when the folder was complete, by path. */
	readonly stamps: ReadonlyMap<string, string>;
}

const MAGIC = 'shoal folder 1';

/**
 * Records of the folders that downloads have made. A folder is replaced by a later version only if
 * its record shows that nobody has changed it since. A record that is lost or damaged means that
 * the folder is not replaced.
 */
export class FolderRecords {
	readonly #folder: string;

	/** @param folder is made when it is needed. @default that of this user */
	constructor(folder: string = join(stateHome(), 'shoal', 'folders')) {
		this.#folder = folder;
	}

	/** The record of the folder at `path`; undefined if there is none, or none that is sound. */
	async find(path: string, identity: string): Promise<FolderRecord | undefined> {
		try {
			const [head = '', ...lines] = (await readFile(this.#pathOf(path), 'utf8')).split('\n');
			const body = lines.join('\n');
			const { seed, stamps, ...about } = JSON.parse(body) as {
				readonly path: string;
				readonly identity: string;
				readonly seed: string;
				readonly stamps: ReadonlyArray<[string, string]>;
			};
			const isSound = head === firstLine(body) && about.path === path;
			return isSound && about.identity === identity
				? { path, identity, seed, stamps: new Map(stamps) }
				: undefined;
		} catch {
			return undefined;
		}
	}

	/** Keeps `record`, in place of an earlier one of the same path. Never rejects. */
	async keep({ path, identity, seed, stamps }: FolderRecord): Promise<void> {
		const file = this.#pathOf(path);
		const temporary = `${file}.${nanoid()}`;
		try {
			await mkdir(dirname(file), { recursive: true, mode: 0o700 });
			const body = JSON.stringify({ path, identity, seed, stamps: [...stamps] });
			await writeFile(temporary, `${firstLine(body)}\n${body}`, { flag: 'wx', mode: 0o600 });
			await rename(temporary, file);
		} catch {
			// Without a record the folder is not replaced by a later version.
			await rm(temporary, { force: true }).catch(() => {});
		}
	}

	#pathOf(path: string): string {
		return join(this.#folder, createHash('sha256').update(path).digest('hex'));
	}
}

function firstLine(body: string): string {
	return `${MAGIC} ${createHash('sha256').update(body).digest('hex')}`;
}
