import type { Folder } from '../../protocol/index.ts';
import type { SourceHead } from './known-table.ts';

/** A source that is open for reading. */
export interface OpenSource {
	/** Fills `into` with the bytes from `offset` on. @throws errors of the file system */
	read(offset: number, into: Uint8Array): Promise<void>;
	/** The entries of a folder; undefined: it is a file. */
	readonly folder: Folder | undefined;
	/** Releases what was opened. */
	close(): Promise<void>;
}

interface Entry {
	readonly opened: Promise<OpenSource>;
	/** Number of running reads. */
	uses: number;
	/** Whether the source is closed when its running reads have ended. */
	isOld: boolean;
}

/** Maximum number of sources that stay open while nothing reads them. */
const MOST_OPEN = 16;
/** A source that gives wrong bytes this many times in succession counts as changed. */
const MOST_WRONG = 16;
/** From a changed source, one chunk in this many is still tried: other parts may be right. */
const TRY_ONE_IN = 16;

/** Reads known files and folders, which are opened when they are needed. */
export class OpenSources {
	readonly #openSource: (source: SourceHead) => Promise<OpenSource>;
	/** The least recently used first. */
	readonly #open = new Map<SourceHead, Entry>();
	readonly #wrong = new Map<SourceHead, number>();

	/** @param open opens a source. It throws the errors of the file system */
	constructor(open: (source: SourceHead) => Promise<OpenSource>) {
		this.#openSource = open;
	}

	/** Whether to read `source` for `chunk`. Most chunks are not read from a changed source. */
	isWorth(source: SourceHead, chunk: number): boolean {
		return (this.#wrong.get(source) ?? 0) < MOST_WRONG || chunk % TRY_ONE_IN === 0;
	}

	/** Notes whether bytes of `source` were right; false if they could not be read. */
	onResult(source: SourceHead, isRight: boolean): void {
		this.#wrong.set(source, isRight ? 0 : (this.#wrong.get(source) ?? 0) + 1);
	}

	/** Fills `into` from the start of a chunk of a source. @throws errors of the file system */
	async readChunk(source: SourceHead, chunk: number, into: Uint8Array): Promise<void> {
		const offset = chunk * source.chunkSize;
		if (offset + into.length > source.length) {
			throw Object.assign(new Error('the chunk is beyond the end'), { code: 'ESHORT' });
		}
		await this.#use(source, ({ read }) => read(offset, into));
	}

	/** Reads a file, or an entry of a folder, from `offset` on. @throws errors of the file system */
	async readFile(
		source: SourceHead,
		{ entry, offset }: { entry: number; offset: number },
		into: Uint8Array,
	): Promise<void> {
		await this.#use(source, async ({ read, folder }) => {
			const path = folder?.entries[entry]?.path;
			const start = path === undefined ? 0 : (folder?.find(path)?.offset ?? 0);
			await read(start + offset, into);
		});
	}

	async close(): Promise<void> {
		const entries = [...this.#open.values()];
		this.#open.clear();
		await Promise.all(entries.map(closeEntry));
	}

	async #use(source: SourceHead, use: (open: OpenSource) => Promise<void>): Promise<void> {
		const entry = this.#entryOf(source);
		entry.uses += 1;
		try {
			await use(await entry.opened);
		} finally {
			entry.uses -= 1;
			if (entry.isOld && entry.uses === 0) {
				await closeEntry(entry);
			}
		}
	}

	#entryOf(source: SourceHead): Entry {
		const before = this.#open.get(source);
		const entry = before ?? { opened: this.#openSource(source), uses: 0, isOld: false };
		this.#open.delete(source);
		this.#open.set(source, entry);
		if (this.#open.size > MOST_OPEN) {
			const [[oldest, old]] = this.#open as unknown as [[SourceHead, Entry]];
			this.#open.delete(oldest);
			old.isOld = true;
			if (old.uses === 0) {
				void closeEntry(old);
			}
		}
		return entry;
	}
}

async function closeEntry({ opened }: Entry): Promise<void> {
	await opened.then((open) => open.close()).catch(() => {});
}
