import { rmSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { nanoid } from 'nanoid';
import { ensureFolder, writePrivate } from '../../../broker/for-nodes.ts';
import {
	formatJoinLink,
	isShoalError,
	type JoinLink,
	parseJoinLink,
} from '../../../protocol/index.ts';
import { fsError } from '../../storage/fs-error.ts';
import { homeFolder } from '../../storage/home-folder.ts';
import { readIfThereSync } from '../../storage/read-if-there.ts';
import { isRunning } from './running-process.ts';

/**
 * The folder of shoal for configuration or state (XDG Base Directory Specification).
 *
 * @param fallback the parent folder, relative to the home folder, if the variable is not set
 */
export function xdgFolder(kind: 'CONFIG' | 'STATE', fallback: string): string {
	const named = process.env[`XDG_${kind}_HOME`] ?? '';
	return join(isAbsolute(named) ? named : join(homeFolder(), fallback), 'shoal');
}

const configFolder = (): string => xdgFolder('CONFIG', '.config');
const joinedFile = (): string => join(configFolder(), 'joined');

/**
 * The broker of SHOAL_JOIN, else the one that was joined last; undefined if none was.
 *
 * @throws ShoalError ERR_LINK if the variable or the file holds no join link
 */
export function joinedBroker(): JoinLink | undefined {
	const text = process.env.SHOAL_JOIN || readIfReadable(joinedFile());
	return text === undefined ? undefined : parseJoinLink(text);
}

/**
 * Stores the join link of a broker in a file that only this user can read.
 *
 * @returns the path of the file
 * @throws ShoalError ERR_PERMISSION, ERR_NO_SPACE, ERR_IO
 */
export function rememberJoined(link: JoinLink): string {
	const path = joinedFile();
	try {
		keepPrivate(path, `${formatJoinLink(link)}\n`);
	} catch (error) {
		throw fsError(error, path);
	}
	return path;
}

/**
 * Removes the file of the joined broker.
 *
 * @returns the path of the file, and whether it existed
 * @throws ShoalError ERR_PERMISSION, ERR_IO
 */
export function forgetJoined(): { readonly path: string; readonly wasThere: boolean } {
	const path = joinedFile();
	const wasThere = readIfReadable(path) !== undefined;
	try {
		rmSync(path, { force: true });
	} catch (error) {
		throw fsError(error, path);
	}
	return { path, wasThere };
}

/**
 * The secret that owns a fixed node id, made at the first use of the id. While another process uses
 * the id, this process gets a new secret, so a broker to which the other process is connected
 * refuses this one. With the same secret, the two would disconnect each other for ever.
 */
export function secretOf(id: string): string {
	const file = join(configFolder(), 'ids', id);
	const [known = '', pid] = readIfReadable(file)?.trim().split(' ') ?? [];
	if (pid !== undefined && Number(pid) !== process.pid && isRunning(Number(pid))) {
		return nanoid();
	}
	const secret = known === '' ? nanoid() : known;
	try {
		keepPrivate(file, `${secret} ${process.pid}\n`);
	} catch {
		// If the secret cannot be stored, a node that is restarted has to wait until its id is free again.
	}
	return secret;
}

/** The text of a file; undefined if there is none that this user can read. @throws ShoalError ERR_IO */
function readIfReadable(path: string): string | undefined {
	try {
		return readIfThereSync(path);
	} catch (error) {
		if (isShoalError(error, 'ERR_PERMISSION') || isShoalError(error, 'ERR_FOLDER')) {
			return undefined;
		}
		throw error;
	}
}

function keepPrivate(path: string, text: string): void {
	ensureFolder(dirname(path), 0o700);
	writePrivate(path, text);
}
