import { Bitfield, type Seed } from '../../../protocol/index.ts';
import { rightInFolder } from '../../hashing/folder/folder-chunks.ts';
import { FolderThread } from '../../hashing/folder/folder-thread.ts';
import type { HashOptions } from '../../hashing/hasher.ts';
import { copyChunks } from '../../storage/copy-chunks.ts';
import type { FolderStorage } from '../../storage/folder/folder-storage.ts';
import type { Journal } from './journal.ts';
import type { PartFolder } from './part-folder.ts';
import type { Verified } from './target.ts';

/** The stats of a part folder for its journal, which then accepts files of any size and time. */
export function journalPart({ stats }: PartFolder, { length }: Seed): PartFolder['stats'] {
	// Nothing checks here whether other programs have written to the files: the digests of the
	// files are checked at the end.
	return Object.assign(Object.create(stats), { size: BigInt(length), mtimeMs: 0n });
}

/**
 * The chunks that an earlier download has stored in a part folder. First removes from this folder
 * what is no wanted file.
 *
 * @throws ShoalError ERR_IO, ERR_ABORTED
 */
export async function resumableInFolder(
	part: PartFolder,
	journal: Journal,
	{ storage, seed, check }: { storage: FolderStorage; seed: Seed; check: Verified },
	options: HashOptions,
): Promise<Bitfield> {
	if (!part.wasThere) {
		return new Bitfield(seed.chunks);
	}
	await tidy(storage, options);
	const recorded = await journal.read();
	if (recorded === undefined) {
		return await rightInFolder(storage.location, seed, options);
	}
	if (recorded === 'failed') {
		const right = await rightInFolder(storage.location, seed, options);
		const { signal } = options;
		await copyChunks(seed, right.indices(), { from: storage, to: storage, signal });
		return right;
	}
	return recorded.isTrusted && check === 'whole'
		? recorded.chunks
		: await rightInFolder(storage.location, seed, options, recorded.chunks);
}

async function tidy({ location, path }: FolderStorage, options: HashOptions): Promise<void> {
	const thread = new FolderThread(path, options);
	try {
		await thread.run({ do: 'tidy', location });
	} finally {
		await thread.close();
	}
}
