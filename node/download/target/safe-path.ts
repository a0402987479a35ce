import { resolve } from 'node:path';
import { safeFileName } from '../../../protocol/index.ts';

/**
 * The path of a file in `folder` whose name a stranger chose. The only way from such a name to a path: what
 * comes out stands in that folder itself, nowhere below or above it.
 *
 * @throws ShoalError ERR_NAME
 */
export function safePath(folder: string, name: string): string {
	return resolve(folder, safeFileName(name));
}
