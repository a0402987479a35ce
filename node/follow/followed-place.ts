import { realpath } from 'node:fs/promises';
import { ensureFolder } from '../../broker/for-nodes.ts';
import { quoted, ShoalError } from '../../protocol/index.ts';
import type { OpenOptions } from '../channel/place/followed-folder.ts';
import { openInPlace } from '../channel/place/in-place.ts';
import type { Place } from '../channel/place/place.ts';
import { openReleases } from '../channel/place/releases.ts';
import { fsError, onFile } from '../storage/fs-error.ts';
import { FollowerState } from './follower-state.ts';

/** Options of {@link openFollowed}. */
export interface FollowedPlaceOptions extends OpenOptions {
	/** Channel id. */
	readonly channel: string;
	/** Number of versions that are kept side by side; undefined: versions are switched in place. */
	readonly releases?: number | undefined;
	/** The folder for state. @default that of this user */
	readonly data?: string | undefined;
}

/** A folder that follows a channel, and the state of its follower. */
export interface FollowedPlace {
	readonly place: Place;
	readonly state: FollowerState;
}

/**
 * Opens the folder `dir` for following a channel. Makes the folder if it is missing, and completes
 * a switch that was interrupted.
 *
 * @throws ShoalError ERR_FOLDER if it is no folder, ERR_EXISTS if it is followed by another process or
 *   follows another channel, ERR_CHANNEL if the state is damaged, ERR_PERMISSION, ERR_NO_SPACE, ERR_IO
 */
export async function openFollowed(
	dir: string,
	{ channel, releases, data, ...options }: FollowedPlaceOptions,
): Promise<FollowedPlace> {
	makeFolder(dir);
	const folder = await onFile(dir, () => realpath(dir));
	const place =
		releases === undefined
			? await openInPlace(folder, { ...options, channel })
			: await openReleases(folder, { ...options, channel, keep: releases });
	try {
		return { place, state: FollowerState.open({ data, channel, folder }) };
	} catch (error) {
		await place.close();
		throw error;
	}
}

/** A callback for {@link OpenOptions.onWait} that warns once. */
export function waitWarning(warn: (error: unknown) => void): (why: string) => void {
	let isTold = false;
	return (why) => {
		if (!isTold) {
			isTold = true;
			warn(new ShoalError('ERR_EXISTS', why));
		}
	};
}

/** @throws ShoalError ERR_FOLDER if something else is there, and the other errors of the file system */
function makeFolder(dir: string): void {
	try {
		ensureFolder(dir);
	} catch (error) {
		const { code, path } = error as NodeJS.ErrnoException;
		if (code !== 'EEXIST' || path !== dir) {
			throw fsError(error, dir);
		}
		throw new ShoalError(
			'ERR_FOLDER',
			`${quoted(dir, 300)} is no folder; name the folder into which the versions are put`,
			{ cause: error },
		);
	}
}
