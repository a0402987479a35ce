import { uint8ArrayToHex } from 'uint8array-extras';
import {
	checkName,
	chooseFolderChunkSize,
	digestOf,
	Folder,
	type FolderEntry,
	folderLength,
	formatIndex,
	Seed,
} from '../../../protocol/index.ts';
import type { Storage } from '../../storage/storage.ts';
import type { LocalFolder } from '../local-folder.ts';
import { type BlobPiece, BlobStorage } from './blob-storage.ts';
import { draftFolder, type FolderDraft } from './draft-folder.ts';
import { FileDigests } from './file-digests.ts';
import { AT_ONCE, chunkDigests, joined, type MakeSeedOptions } from './make-seed.ts';

/** The seed of a folder of the user, and its content. */
export interface MadeFolder {
	readonly seed: Seed;
	readonly folder: Folder;
	readonly storage: BlobStorage;
}

/**
 * Makes the seed of a folder. Its files are read once, for their own digests and for those of the
 * chunks.
 *
 * @throws ShoalError ERR_NAME, ERR_SEED if something in the folder cannot be shared, ERR_LIMIT if
 *   there is too much in it, ERR_CHANGED, ERR_IO, and the reason of `signal`
 */
export async function makeFolder(
	local: LocalFolder,
	options: MakeSeedOptions = {},
): Promise<MadeFolder> {
	const name = checkName(local.name.normalize('NFC'));
	const draft = draftFolder(local);
	// The lines of this index have their final length, so that the layout is known.
	const planned = folderOf(draft.entries);
	const storage = storageOf(planned, draft);
	const { digests, ofChunks } = await hashAll(planned, storage, options);
	const entries = draft.entries.map((entry) => {
		return { ...entry, digest: digests.get(entry.path) ?? entry.digest };
	});
	const { index } = folderOf(entries);
	const made = storageOf({ ...planned, index }, draft);
	const { length, chunkSize } = planned;
	// The first chunks are hashed again: they have the index, in which the digests were missing.
	for (let chunk = 0; chunk * chunkSize < index.length; chunk += 1) {
		const offset = chunk * chunkSize;
		const bytes = await read(made, offset, Math.min(chunkSize, length - offset));
		ofChunks.splice(chunk, 1, ...(await chunkDigests(bytes, chunkSize)));
	}
	const seed = new Seed({
		...{ name, length, index: index.length, kind: 'sha256' },
		digest: digestOf('sha256', index),
		chunkDigests: joined(ofChunks),
	});
	return { seed, folder: new Folder(seed, index), storage: made };
}

/** A folder whose index has its final length. */
interface PlannedFolder {
	readonly folder: Folder;
	readonly index: Uint8Array;
	/** Bytes of the content. */
	readonly length: number;
	readonly chunkSize: number;
}

function folderOf(entries: readonly FolderEntry[]): PlannedFolder {
	const index = formatIndex(entries);
	const chunkSize = chooseFolderChunkSize(entries, index.length);
	const length = folderLength(entries, index.length, chunkSize);
	const digest = uint8ArrayToHex(digestOf('sha256', index));
	const folder = new Folder(
		{ id: '', length, index: index.length, digest, layout: { chunkSize } },
		index,
	);
	return { folder, index, length, chunkSize };
}

/** The content of a folder: its index, zeros before large files, and its files. */
function storageOf(
	{ folder, index, chunkSize }: PlannedFolder,
	{ files }: FolderDraft,
): BlobStorage {
	const zeros = new Blob([new Uint8Array(chunkSize)]);
	const indexBlob = new Blob([index as Uint8Array<ArrayBuffer>]);
	const pieces: BlobPiece[] = [{ offset: 0, blob: indexBlob, name: 'the index' }];
	for (const { entry, offset, length } of folder.pieces) {
		const file = entry && files.get(entry.path);
		pieces.push({
			offset,
			blob: file ?? zeros.slice(0, length),
			name: entry?.path ?? 'zeros',
		});
	}
	return new BlobStorage(pieces);
}

/** Reads a content once. @returns the digests of the files by path, and those of the chunks */
async function hashAll(
	{ folder, length, chunkSize }: PlannedFolder,
	storage: Storage,
	{ onBytes, signal }: MakeSeedOptions,
): Promise<{ digests: Map<string, string>; ofChunks: Uint8Array[] }> {
	const digests = new Map<string, string>();
	const files = new FileDigests(folder, ({ path }, digest) => digests.set(path, digest));
	const ofChunks: Uint8Array[] = [];
	try {
		for (let offset = 0; offset < length; offset += AT_ONCE) {
			signal?.throwIfAborted();
			const bytes = await read(storage, offset, Math.min(AT_ONCE, length - offset));
			await files.room();
			files.add(offset, bytes);
			ofChunks.push(...(await chunkDigests(bytes, chunkSize)));
			onBytes?.(offset + bytes.length);
		}
		await files.done();
		return { digests, ofChunks };
	} finally {
		files.close();
	}
}

async function read(storage: Storage, offset: number, length: number): Promise<Uint8Array> {
	const bytes = new Uint8Array(length);
	await storage.read(offset, bytes);
	return bytes;
}
