import { Bitfield, type Seed, sameDigest } from '../../../protocol/index.ts';
import type { FolderLocation } from '../../storage/folder/folder-place.ts';
import { runsOf } from '../../util/runs.ts';
import type { HashOptions } from '../hasher.ts';
import { FolderThread } from './folder-thread.ts';

/**
 * The chunks of `seed` that are right in the folder at `location`. A chunk counts as wrong if it
 * cannot be read, or if one of its files is missing.
 *
 * @param among the chunks to check. @default all
 * @throws ShoalError ERR_ABORTED
 */
export async function rightInFolder(
	location: FolderLocation,
	seed: Seed,
	options: HashOptions,
	among: Bitfield = Bitfield.full(seed.chunks),
): Promise<Bitfield> {
	const right = new Bitfield(seed.chunks);
	const asked = [...among.indices()];
	if (asked.length === 0) {
		return right;
	}
	const thread = new FolderThread(location.root, options);
	try {
		const job = { do: 'chunks', location, runs: runsOf(asked), passesUnreadable: true } as const;
		const digests = await thread.run<Uint8Array>(job);
		for (const [at, chunk] of asked.entries()) {
			if (sameDigest(digests.subarray(at * 32, (at + 1) * 32), seed.chunkDigest(chunk))) {
				right.set(chunk);
			}
		}
		return right;
	} finally {
		await thread.close();
	}
}
