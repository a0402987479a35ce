import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';

const NOWHERE = '/nonexistent';

/**
 * The home folder of this user. Where the system knows none (no HOME, and a uid without an account, as in many
 * containers), a path below which nothing can be read or written.
 */
export function homeFolder(): string {
	try {
		const folder = homedir();
		// An empty HOME would be the working folder.
		return isAbsolute(folder) ? folder : NOWHERE;
	} catch {
		return NOWHERE;
	}
}
