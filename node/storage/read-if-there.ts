import { readFile } from 'node:fs/promises';
import { isShoalError } from '../../protocol/index.ts';
import { onFile } from './fs-error.ts';

/** The bytes of a file; undefined if there is none. @throws ShoalError ERR_PERMISSION, ERR_IO, ERR_FOLDER */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
	try {
		return await onFile(path, () => readFile(path));
	} catch (error) {
		if (isShoalError(error, 'ERR_NO_FILE')) {
			return undefined;
		}
		throw error;
	}
}
