import { resolve } from 'node:path';
import { safeFileName } from '../../../protocol/index.ts';

/**
 * The path of a file in `folder` whose name comes from another node. Every such name must go
 * through this function: the path is always directly in the folder, never below or above it.
 *
 * @throws ShoalError ERR_NAME
 */
export function safePath(folder: string, name: string): string {
	return resolve(folder, safeFileName(name));
}
