import { MAX_NAME_BYTES, safeFileName } from '../../../protocol/index.ts';

/**
 * A safe file name for a file of a folder that is saved by itself. A name that an index may
 * contain, but that some systems refuse as the name of a file, is changed.
 */
export function savedName(path: string): string {
	const name = path.slice(path.lastIndexOf('/') + 1);
	try {
		return safeFileName(name);
	} catch {
		// The name is that of a Windows device, begins with a drive letter, or ends with a dot or a
		// space.
		return safeFileName(`_${name.slice(0, MAX_NAME_BYTES / 5).replace(/[:. ]/g, '_')}`);
	}
}
