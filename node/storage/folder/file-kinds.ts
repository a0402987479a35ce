import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import { onFile } from '../fs-error.ts';

const PLAIN = 0o600;
const EXECUTABLE = 0o700;

/**
 * Finds out by a trial whether files in `folder` can be executable or not. Windows does not store
 * this. Mounts of NTFS, FAT and CIFS often show either all files as executable, or none.
 *
 * @throws ShoalError the errors of the file system
 */
export async function hasFileKinds(folder: string): Promise<boolean> {
	if (process.platform === 'win32') {
		return false;
	}
	const probe = join(folder, `${nanoid()}.tmp`);
	return await onFile(folder, async () => {
		const file = await open(probe, 'wx', PLAIN);
		const isExecutable = async (): Promise<boolean> => ((await file.stat()).mode & 0o100) !== 0;
		try {
			const isAlways = await isExecutable();
			// Some file systems refuse a mode that they cannot store.
			await file.chmod(EXECUTABLE).catch(() => {});
			return !isAlways && (await isExecutable());
		} finally {
			await file.close();
			await rm(probe, { force: true }).catch(() => {});
		}
	});
}
