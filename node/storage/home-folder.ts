import { homedir } from 'node:os';

/**
 * The home folder of this user. Where the system knows none (no HOME, and a uid without an account, as in many
 * containers), a path below which nothing can be read or written.
 */
export function homeFolder(): string {
	try {
		return homedir();
	} catch {
		return '/nonexistent';
	}
}
