import { quoted, type Seed, ShoalError } from '../../../protocol/index.ts';
import { LockFile, type LockOwner, type TakeOptions } from './lock-file.ts';
import type { PartPaths } from './part-paths.ts';

/**
 * A lock on one final path, for one download at a time: a {@link LockFile} `<name>.shoal-lock`
 * beside the final path, whose purpose is the seed id. Two owners at once do no harm: both write
 * verified bytes of the same content.
 */
export class OutputLock {
	readonly #file: LockFile;

	private constructor(file: LockFile) {
		this.#file = file;
	}

	/**
	 * Takes the lock. Waits while another download of the same content has it.
	 *
	 * @throws ShoalError ERR_EXISTS if another content is being fetched to the same path,
	 *   ERR_ABORTED, and the errors of the file system
	 */
	static async take(
		{ path, lock }: PartPaths,
		seed: Seed,
		options: TakeOptions = {},
	): Promise<OutputLock> {
		const refusal = (owner: LockOwner): ShoalError | undefined =>
			owner.purpose === seed.id ? undefined : otherContent(path, owner);
		return new OutputLock(await LockFile.take(lock, seed.id, refusal, options));
	}

	/** Releases the lock. Never rejects; idempotent. */
	async release(): Promise<void> {
		await this.#file.release();
	}
}

function otherContent(path: string, { purpose, process }: LockOwner): ShoalError {
	return new ShoalError(
		'ERR_EXISTS',
		`another download (process ${process.pid}) is writing another content to ${quoted(path, 300)}: the seed ${purpose}; wait until it has ended, or choose another with -o`,
	);
}
