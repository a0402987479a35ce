import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isShoalError } from '../../protocol/index.ts';
import { fsError, onFile } from './fs-error.ts';

/** The bytes of a file; undefined if there is none. @throws ShoalError ERR_PERMISSION, ERR_IO, ERR_FOLDER */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
	try {
		return await onFile(path, () => readFile(path));
	} catch (error) {
		return undefinedIfMissing(error);
	}
}

/** The text of a file; undefined if there is none. @throws as {@link readIfThere} */
export function readIfThereSync(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		return undefinedIfMissing(fsError(error, path));
	}
}

/** @throws `error`, unless it says that there is no file */
function undefinedIfMissing(error: unknown): undefined {
	if (!isShoalError(error, 'ERR_NO_FILE')) {
		throw error;
	}
}
