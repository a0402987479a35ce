import type { Folder } from '../../protocol/index.ts';
import type { Storage } from '../storage/storage.ts';
import type { SourceHead } from './known-table.ts';

/** A source that is open for reading. */
export interface OpenSource {
	readonly storage: Pick<Storage, 'read'>;
	/** The entries of a folder; undefined: it is a file. */
	readonly folder: Folder | undefined;
	/** Releases what was opened. */
	close(): Promise<void>;
}

/** Maximum number of files and folders that are open at a time. */
const MOST_OPEN = 16;
/** A source that gives wrong bytes so many times in succession has changed, and is not read again. */
const MOST_WRONG = 16;

/** Reads known files and folders, which are opened when they are needed. */
export class OpenSources {
	readonly #openSource: (source: SourceHead) => Promise<OpenSource>;
	/** The least recently used first. */
	readonly #open = new Map<SourceHead, Promise<OpenSource>>();
	readonly #wrong = new Map<SourceHead, number>();

	/** @param open opens a source. It throws the errors of the file system */
	constructor(open: (source: SourceHead) => Promise<OpenSource>) {
		this.#openSource = open;
	}

	/** Whether the bytes of `source` were wrong so often that it is not worth reading. */
	isUseless(source: SourceHead): boolean {
		return (this.#wrong.get(source) ?? 0) >= MOST_WRONG;
	}

	/** Notes that bytes of `source` were wrong, or could not be read. */
	onWrong(source: SourceHead): void {
		this.#wrong.set(source, (this.#wrong.get(source) ?? 0) + 1);
	}

	/** Reads from a chunk of a source. @throws errors of the file system */
	async readChunk(source: SourceHead, chunk: number, into: Uint8Array): Promise<void> {
		const { storage } = await this.#opened(source);
		await storage.read(chunk * source.chunkSize, into);
		this.#wrong.delete(source);
	}

	/** Reads a file, or an entry of a folder, from `offset` on. @throws errors of the file system */
	async readFile(
		source: SourceHead,
		{ entry, offset }: { entry: number; offset: number },
		into: Uint8Array,
	): Promise<void> {
		const { storage, folder } = await this.#opened(source);
		const path = folder?.entries[entry]?.path;
		const start = path === undefined ? 0 : (folder?.find(path)?.offset ?? 0);
		await storage.read(start + offset, into);
	}

	async close(): Promise<void> {
		const open = [...this.#open.values()];
		this.#open.clear();
		for (const each of await Promise.allSettled(open)) {
			if (each.status === 'fulfilled') {
				await each.value.close();
			}
		}
	}

	async #opened(source: SourceHead): Promise<OpenSource> {
		const opened = this.#open.get(source) ?? this.#openSource(source);
		this.#open.delete(source);
		this.#open.set(source, opened);
		if (this.#open.size > MOST_OPEN) {
			const [[oldest, closing]] = this.#open as unknown as [[SourceHead, Promise<OpenSource>]];
			this.#open.delete(oldest);
			await closing.then((open) => open.close()).catch(() => {});
		}
		return await opened;
	}
}
