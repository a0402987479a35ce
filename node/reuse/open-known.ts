import { Folder } from '../../protocol/index.ts';
import { FileStorage } from '../storage/file-storage.ts';
import type { FolderLocation } from '../storage/folder/folder-place.ts';
import { FolderStorage } from '../storage/folder/folder-storage.ts';
import type { OpenSource } from './open-sources.ts';

/** Opens a known file. @throws ShoalError the errors of the file system */
export async function openFile(path: string, length: number): Promise<OpenSource> {
	const storage = await FileStorage.openToRead([{ path, length }]);
	return { storage, folder: undefined, close: () => storage.close() };
}

/** Opens a known folder. @throws ShoalError ERR_SEED if the index is not that of the seed */
export function openFolder({ root, seed, index }: FolderLocation): OpenSource {
	const folder = new Folder(seed, index);
	const storage = new FolderStorage({ root, seed, index: folder.index }, folder);
	return { storage, folder, close: () => storage.close() };
}
