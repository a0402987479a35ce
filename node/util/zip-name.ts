import { MAX_NAME_BYTES, safeFileName } from '../../protocol/index.ts';

const EXTENSION = '.zip';
const encoder = new TextEncoder();

/**
 * A safe file name for the archive of a folder. A long name is cut.
 *
 * @param name of the folder, as another node chose it
 * @throws ShoalError ERR_NAME as {@link safeFileName}
 */
export function zipName(name: string): string {
	const letters = Array.from(safeFileName(name));
	const most = MAX_NAME_BYTES - EXTENSION.length;
	while (encoder.encode(letters.join('')).length > most) {
		letters.pop();
	}
	return `${letters.join('')}${EXTENSION}`;
}
