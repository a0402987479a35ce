import { type FolderEntry, isFile, quoted, ShoalError } from '../../../protocol/index.ts';
import type { WebContent } from './web-target.ts';

/** A folder that was downloaded and verified, or the files of it that were wanted. */
export class DownloadedFolder {
	/** The entries that were downloaded, in the order of the index. */
	readonly entries: readonly FolderEntry[];
	readonly #content: WebContent;
	readonly #paths: ReadonlySet<string> | undefined;

	/** {@link BrowserNode.get} makes folders. @internal */
	constructor(content: WebContent, paths: ReadonlySet<string> | undefined) {
		const all = content.folder?.entries ?? [];
		this.#content = content;
		this.#paths = paths;
		this.entries = paths === undefined ? all : all.filter(({ path }) => paths.has(path));
	}

	/**
	 * The bytes of a file, which are read from a file of the browser or from memory.
	 *
	 * @throws ShoalError ERR_NOT_FOUND if there is no such file, or it was not downloaded
	 */
	file(path: string): Blob {
		const { folder, storage, seed } = this.#content;
		const found = folder?.find(path);
		if (found === undefined || !isFile(found.entry) || this.#paths?.has(path) === false) {
			throw new ShoalError('ERR_NOT_FOUND', `${quoted(seed.name)} has no file ${quoted(path)}`);
		}
		return storage.slice(found.offset, found.entry.length);
	}
}
