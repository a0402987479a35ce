import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

const NOWHERE = '/nonexistent';

/**
 * The home folder of this user. If the system knows none (no HOME, and a uid without an account, as
 * in many containers), a path below which nothing can be read or written.
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

/**
 * The folder for caches: that of the XDG base directories, or its equivalent on macOS and Windows.
 */
export function cacheHome(): string {
	const { XDG_CACHE_HOME: xdg = '', LOCALAPPDATA: local = '' } = process.env;
	if (isAbsolute(xdg)) {
		return xdg;
	}
	switch (process.platform) {
		case 'darwin':
			return join(homeFolder(), 'Library', 'Caches');
		case 'win32':
			return local || join(homeFolder(), 'AppData', 'Local');
		default:
			return join(homeFolder(), '.cache');
	}
}

/**
 * The folder for state that outlives a process: that of the XDG base directories, or its equivalent
 * on macOS and Windows.
 */
export function stateHome(): string {
	const { XDG_STATE_HOME: xdg = '', LOCALAPPDATA: local = '' } = process.env;
	if (isAbsolute(xdg)) {
		return xdg;
	}
	switch (process.platform) {
		case 'darwin':
			return join(homeFolder(), 'Library', 'Application Support');
		case 'win32':
			return local || join(homeFolder(), 'AppData', 'Local');
		default:
			return join(homeFolder(), '.local', 'state');
	}
}
