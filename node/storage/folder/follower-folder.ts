import { lstatSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The name of the folder in which a follower of a channel keeps its own files, in the folder that
 * follows the channel.
 */
export const OWN_FOLDER = '.shoal';
/** The file in that folder which says which channel is followed. */
export const PLACE_FILE = 'place';

/** Whether the folder at `root` follows a channel, and so has a folder that is no part of it. */
export function isFollowed(root: string): boolean {
	try {
		return lstatSync(join(root, OWN_FOLDER, PLACE_FILE)).isFile();
	} catch {
		return false;
	}
}
