import type { Target } from '../../download/target/target.ts';
import type { StoredContent } from '../../storage/content-store.ts';

/** The version of a channel that is applied, or is to be applied. */
export interface Version {
	/** The number of the block of keys that signed the version. */
	readonly block: number;
	/** The number of the version in this block. */
	readonly seq: number;
	/** Seed id. */
	readonly seed: string;
}

/** The result of a switch to a version. */
export interface Applied {
	/** Absolute path of what was applied: the file, or the folder. */
	readonly path: string;
	/**
	 * Paths below the followed folder, of what people had changed or added and that was kept. A file
	 * that was set aside is named by its new name.
	 */
	readonly kept: readonly string[];
}

/** The folder on the disk that follows a channel. */
export interface Place {
	/** The version that is whole in the folder; undefined before the first. */
	readonly applied: Version | undefined;
	/**
	 * The result of the switch to {@link applied}, also if another process began this switch and
	 * the opening of the folder completed it; undefined before the first switch.
	 */
	readonly result: Applied | undefined;
	/**
	 * The newest version from which {@link rollBack} went back. This version and older ones are not
	 * to be applied again. Undefined if there is none, or if a version was applied since.
	 */
	readonly skipped: Version | undefined;
	/** Whether a switch has begun and is not complete, so that there are files of two versions. */
	readonly isTorn: boolean;
	/**
	 * A target for the download of the seed of `version`, used once. Only what the folder does not
	 * have yet is wanted, and the version before is searched for bytes of it.
	 */
	target(version: Version): Target;
	/**
	 * Switches the folder to `version`. Before the call, its download into the {@link target} must
	 * be finished, and the node must have ended sharing its content and that of the version before.
	 * The seed that is applied already needs no download. The switch is synced when this resolves.
	 * If a step fails, the rest of the switch is done by the next call of `apply`, or when the
	 * folder is opened again.
	 *
	 * @param signal stops the call before the switch begins; a switch that has begun goes on
	 * @throws ShoalError ERR_CHANGED if files that both versions have were changed since the download
	 *   began: download the version again, which fetches only these files. ERR_ABORTED,
	 *   ERR_PERMISSION, ERR_NO_SPACE, ERR_IO
	 */
	apply(version: Version, signal?: AbortSignal): Promise<Applied>;
	/**
	 * The applied version, opened for sharing; the caller closes its storage. It has only the
	 * chunks whose files are all unchanged. Undefined if there is no such chunk, or if no version
	 * is applied.
	 */
	content(): Promise<StoredContent | undefined>;
	/** Ends the use of the folder, so that another process can follow into it. Idempotent. */
	close(): Promise<void>;
}

/** Whether two versions are the same. */
export function isSameVersion(a: Version | undefined, b: Version | undefined): boolean {
	return a?.block === b?.block && a?.seq === b?.seq && a?.seed === b?.seed;
}

/** Compares two versions by their age: below 0 if `a` is older. */
export function compareVersions(a: Version, b: Version): number {
	return a.block - b.block || a.seq - b.seq;
}

/** Whether the version of `a` is newer than `b`: it has a later key block, or a higher number. */
export function isNewer(
	a: Pick<Version, 'block' | 'seq'>,
	b: Pick<Version, 'block' | 'seq'>,
): boolean {
	return a.block > b.block || (a.block === b.block && a.seq > b.seq);
}
