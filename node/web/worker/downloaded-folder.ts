import { type FolderEntry, isFile, quoted, ShoalError } from '../../../protocol/index.ts';
import type { WebContent } from './web-target.ts';

/** Small files that follow each other are read together, up to this many bytes. */
const READ_AT_ONCE = 4 * 1024 * 1024;
/** Bytes of the largest small file. */
const MOST_SMALL = 1024 * 1024;

/** A file of a folder, and its bytes. */
export interface DownloadedFile {
	/** Its entry in the index. */
	readonly entry: FolderEntry;
	/** Bytes that are read already, or a blob if there are many. */
	readonly content: Uint8Array<ArrayBuffer> | Blob;
}

/** Files whose bytes follow each other in the content. */
interface Run {
	readonly offset: number;
	length: number;
	readonly entries: FolderEntry[];
}

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

	/**
	 * All files that were downloaded, in the order of the index. For many small files this is much
	 * faster than {@link file}.
	 *
	 * @throws ShoalError ERR_IO if they cannot be read
	 */
	async *files(): AsyncGenerator<DownloadedFile> {
		const { storage } = this.#content;
		for (const { offset, length, entries } of this.#runs()) {
			const [first] = entries;
			if (first !== undefined && first.length > MOST_SMALL) {
				yield { entry: first, content: storage.slice(offset, length) };
				continue;
			}
			const bytes = new Uint8Array(length);
			await storage.read(offset, bytes);
			let at = 0;
			for (const entry of entries) {
				yield { entry, content: bytes.subarray(at, at + entry.length) };
				at += entry.length;
			}
		}
	}

	/** The files in runs. A large file is a run of its own. */
	*#runs(): Generator<Run> {
		let run: Run | undefined;
		for (const entry of this.entries.filter(isFile)) {
			const { length, path } = entry;
			const end = run === undefined ? 0 : run.offset + run.length;
			// Files without bytes are nowhere in the content.
			const offset = length === 0 ? end : (this.#content.folder?.find(path)?.offset ?? 0);
			if (run !== undefined && offset === end && hasRoom(run, length)) {
				run.entries.push(entry);
				run.length += length;
			} else {
				if (run !== undefined) {
					yield run;
				}
				run = { offset, length, entries: [entry] };
			}
		}
		if (run !== undefined) {
			yield run;
		}
	}
}

function hasRoom({ entries: [first], length }: Run, more: number): boolean {
	const isSmall = (first?.length ?? 0) <= MOST_SMALL && more <= MOST_SMALL;
	return isSmall && length + more <= READ_AT_ONCE;
}
