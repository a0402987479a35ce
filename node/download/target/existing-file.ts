import type { BigIntStats } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Bitfield, quoted, type Seed, ShoalError } from '../../../protocol/index.ts';
import { compareChunks } from '../../hashing/check-content.ts';
import type { HashOptions } from '../../hashing/hasher.ts';
import { OlderFile } from '../../reuse/older-version.ts';
import { readChunk } from '../../storage/copy-chunks.ts';
import { found, identityOf, stampOf } from '../../storage/file-stamp.ts';
import { FileStorage } from '../../storage/file-storage.ts';
import { onFile, syncFolder } from '../../storage/fs-error.ts';
import { checkReplaceable } from './check-output.ts';
import type { PartPaths } from './part-paths.ts';

/** In place of the digest of the whole, which is not computed. */
const NO_DIGEST = '0'.repeat(64);

/**
 * The file that already exists at the final path of a download: the same content, another version
 * of it, or an unrelated file, which must not be replaced.
 */
export class ExistingFile {
	readonly storage: FileStorage;
	/** The chunks of the content that are right in the file. */
	readonly right: Bitfield;
	readonly #seed: Seed;
	readonly #paths: PartPaths;
	readonly #stats: BigIntStats;
	/** The digests of its chunks. */
	readonly #digests: Uint8Array;

	private constructor(seed: Seed, paths: PartPaths, { stats, storage, right, digests }: Hashed) {
		this.#seed = seed;
		this.#paths = paths;
		this.#stats = stats;
		this.storage = storage;
		this.right = right;
		this.#digests = digests;
	}

	/**
	 * Hashes the file at the final path. Undefined if there is none, or if it is the same file as the
	 * part file: then the process or the system ended before the download was settled. A change of
	 * the file is detected even if it happens before its first byte is read.
	 *
	 * @throws ShoalError ERR_EXISTS if it is no ordinary file or changes meanwhile, ERR_ABORTED, and
	 *   the errors of the file system
	 */
	static async find(
		paths: PartPaths,
		seed: Seed,
		options: HashOptions,
	): Promise<ExistingFile | undefined> {
		const { path } = paths;
		const [stats, part] = await Promise.all([found(path), found(paths.part)]);
		if (stats === undefined || (part !== undefined && identityOf(part) === identityOf(stats))) {
			return undefined;
		}
		if (!stats.isFile()) {
			throw notAFile(path, stats);
		}
		const storage = await FileStorage.openToRead([{ path, length: Number(stats.size) }]);
		try {
			storage.guard();
			const { right, digests } = await compareChunks(path, seed, options);
			const existing = new ExistingFile(seed, paths, { stats, storage, right, digests });
			await existing.checkUnchanged();
			return existing;
		} catch (error) {
			await storage.close();
			throw error;
		}
	}

	get path(): string {
		return this.#paths.path;
	}

	/** Finds chunks of the content at other places of the file. */
	get older(): OlderFile {
		const { chunkSize } = this.#seed.layout;
		const about = { path: this.path, length: Number(this.#stats.size), chunkSize };
		return new OlderFile({ ...about, chunkDigests: this.#digests, digest: NO_DIGEST });
	}

	/** The permissions of the file. */
	get mode(): number {
		return Number(this.#stats.mode) & 0o777;
	}

	/** The user and the group that own the file. */
	get owner(): { readonly uid: number; readonly gid: number } {
		return { uid: Number(this.#stats.uid), gid: Number(this.#stats.gid) };
	}

	/** Whether its length and all its chunks are right. The digest of the whole is not checked. */
	get isComplete(): boolean {
		return this.right.isFull && Number(this.#stats.size) === this.#seed.length;
	}

	/**
	 * Checks that the file is a version of the content.
	 *
	 * @throws ShoalError ERR_EXISTS if it has no chunk of the content. Chunks that repeat one byte,
	 *   such as zeros, do not count, because many files have them
	 */
	async checkRelated(): Promise<void> {
		const constant = new Set<string>();
		for (const chunk of this.right.indices()) {
			const digest = Buffer.from(this.#seed.chunkDigest(chunk)).toString('hex');
			if (!constant.has(digest)) {
				const bytes = await readChunk(this.#seed, this.storage, chunk);
				if (Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) !== 0) {
					return;
				}
				constant.add(digest);
			}
		}
		throw new ShoalError(
			'ERR_EXISTS',
			`${quoted(this.path, 300)}: there is another file of that name, which has no chunk of this content; move it away or choose another with -o`,
		);
	}

	/** @throws ShoalError ERR_PERMISSION if this process may not replace it */
	async checkReplaceable(): Promise<void> {
		await checkReplaceable(this.path, this.#stats);
	}

	/** @throws ShoalError ERR_EXISTS if the file has changed or was replaced since it was hashed */
	async checkUnchanged(): Promise<void> {
		const now = await found(this.path);
		if (now === undefined || stampOf(now) !== stampOf(this.#stats)) {
			throw new ShoalError(
				'ERR_EXISTS',
				`${quoted(this.path, 300)} was changed meanwhile, so it is not replaced; move it away, or stop the program that writes to it, and start again: what is verified is kept`,
			);
		}
	}

	/**
	 * Syncs the file, then removes the part file and journal that an earlier download left beside it.
	 */
	async settle(): Promise<void> {
		const { path, part, journal } = this.#paths;
		if ((await found(part)) ?? (await found(journal))) {
			await this.storage.sync();
			await syncFolder(dirname(path));
			await onFile(part, () => rm(part, { force: true }));
			await onFile(journal, () => rm(journal, { force: true }));
		}
	}
}

/** An ERR_EXISTS error that says what is at `path` instead of a file, and what to do. */
function notAFile(path: string, stats: BigIntStats): ShoalError {
	const [what, next] = kindOf(stats);
	return new ShoalError('ERR_EXISTS', `${quoted(path, 300)} is ${what}; ${next}`);
}

function kindOf(stats: BigIntStats): [what: string, next: string] {
	if (stats.isSymbolicLink()) {
		return ['a symbolic link, which is not replaced', 'give -o the path it leads to'];
	}
	if (stats.isDirectory()) {
		return ['a folder', 'give -o another name, or the folder with a / at its end'];
	}
	if (stats.isFIFO() || stats.isCharacterDevice()) {
		return ['a pipe or a device', 'write to it with: -o - > PATH'];
	}
	return ['no ordinary file', 'give -o the path of a file or of a folder'];
}

interface Hashed {
	readonly stats: BigIntStats;
	readonly storage: FileStorage;
	readonly right: Bitfield;
	readonly digests: Uint8Array;
}
