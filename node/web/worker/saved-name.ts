import { MAX_NAME_BYTES, safeFileName } from '../../../protocol/index.ts';

/**
 * A safe file name for a file of a folder that is saved by itself. Names that the index of a folder
 * may have, and that some systems do not take for the name of a file, are changed.
 */
export function savedName(path: string): string {
	const name = path.slice(path.lastIndexOf('/') + 1);
	try {
		return safeFileName(name);
	} catch {
		// Devices of Windows, the letter of a drive, a dot or a space at the end.
		return safeFileName(`_${name.slice(0, MAX_NAME_BYTES / 5).replace(/[:. ]/g, '_')}`);
	}
}
