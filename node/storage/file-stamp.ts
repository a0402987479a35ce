import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { fsError } from './fs-error.ts';

/** ms within which a file system may give two changes the same time: FAT counts in steps of 2 s. */
export const RACY = 2_500;
/** ms within which the clock of an operating system may give two changes the same time. */
export const CLOCK_TICK = 20;

/**
 * The state of a file in one line: device, inode, size, and two times in ns: when its bytes were
 * last changed (mtime), and when its inode was last changed (ctime). While the stamp is the same,
 * the bytes are the same: a program that sets mtime back changes ctime.
 */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
	return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

/** Whether a file with these two stamps has the same bytes, although its inode may have changed. */
export function hasSameBytes(stamp: string, other: string): boolean {
	const [one, two] = [stamp, other].map((each) => each.split(' ').slice(0, 4).join(' '));
	return one === two;
}

/** When the bytes of a file were last changed, in ms since 1970. */
export function changedAt(stamp: string): number {
	return Number(stamp.split(' ')[3]) / 1e6;
}

/**
 * Waits until a further change gets another time than the change at `changedAt`, in ms since 1970.
 */
export async function restSince(changedAt: number): Promise<void> {
	const wait = Math.min(CLOCK_TICK, changedAt + CLOCK_TICK - Date.now());
	if (wait > 0) {
		await new Promise((resolve) => setTimeout(resolve, wait));
	}
}

/** The identity of a file, whatever its name and content. */
export function identityOf({ dev, ino }: BigIntStats): string {
	return `${dev}-${ino}`;
}

/**
 * The stats of `path` itself, undefined if nothing is there. A symbolic link is not followed, so a
 * link that leads nowhere is found as well.
 *
 * @throws ShoalError ERR_PERMISSION, ERR_IO
 */
export async function found(path: string): Promise<BigIntStats | undefined> {
	try {
		return await lstat(path, { bigint: true });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}
		throw fsError(error, path);
	}
}
