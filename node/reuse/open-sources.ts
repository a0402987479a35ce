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
/** A source that gives wrong bytes so many times in succession has changed. */
const MOST_WRONG = 16;
/** Of a source that has changed, one chunk in so many is tried: other parts of it may be right. */
const TRY_ONE_IN = 16;

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

	/** Whether it is worth reading from `source` for a chunk: it is not if its bytes are often wrong. */
	isWorth(source: SourceHead, chunk: number): boolean {
		return (this.#wrong.get(source) ?? 0) < MOST_WRONG || chunk % TRY_ONE_IN === 0;
	}

	/** Notes whether bytes of `source` were right; false if they could not be read. */
	onResult(source: SourceHead, isRight: boolean): void {
		this.#wrong.set(source, isRight ? 0 : (this.#wrong.get(source) ?? 0) + 1);
	}

	/** Reads from a chunk of a source. @throws errors of the file system */
	async readChunk(source: SourceHead, chunk: number, into: Uint8Array): Promise<void> {
		const offset = chunk * source.chunkSize;
		if (offset + into.length > source.length) {
			throw Object.assign(new Error('the chunk is beyond the end'), { code: 'ESHORT' });
		}
		const { storage } = await this.#opened(source);
		await storage.read(offset, into);
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
