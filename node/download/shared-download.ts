import { ShoalError } from '../../protocol/index.ts';
import type { ChunkRun } from '../engine/chunk-run.ts';
import { Demand } from '../engine/demand.ts';
import type { StoredContent } from '../storage/content-store.ts';
import { Download } from './download.ts';
import type {
	DownloadContext,
	DownloadOptions,
	DownloadResult,
	Progress,
} from './download-types.ts';
import { isForReaders, type ReadersTarget } from './target/target.ts';

/** A reader of a content. */
export interface Reader {
	/** Aborted when the reader needs no more bytes. */
	readonly signal: AbortSignal;
}

/** The callback of a reader, and the chunks that it still has to read. */
interface Attached {
	readonly onProgress: ((progress: Progress) => void) | undefined;
	rest: ChunkRun;
	needed: number;
}

const NOTHING: ChunkRun = { first: 0, count: 0 };

/**
 * A running download and its readers. A download into a temporary file runs for its readers only:
 * it fetches only the chunks that the readers need, and ends when the last reader leaves.
 */
export class SharedDownload {
	readonly download: Download;
	/** Resolves when the seed is known and its target is open; rejects if `done` rejects. */
	readonly held: Promise<StoredContent>;
	/** Settles with the download. */
	readonly done: Promise<DownloadResult>;
	/** The number of nodes that it fetches from, by lane, as last reported. */
	lanes: Progress['lanes'] = { direct: 0, broker: 0 };
	readonly #context: DownloadContext;
	readonly #ownReaders: ReadersTarget | undefined;
	readonly #demand = new Demand();
	readonly #readers = new Map<Reader, Attached>();
	readonly #over: () => void;
	#ending: Promise<void> | undefined;

	/** @param over called when no reader may join the download any more */
	constructor(
		context: DownloadContext,
		options: Omit<DownloadOptions, 'onContent' | 'selection'>,
		over: () => void,
	) {
		const { target, onProgress } = options;
		this.#context = context;
		this.#ownReaders = isForReaders(target) ? target : undefined;
		this.#over = over;
		let onContent: (content: StoredContent) => void = () => {};
		const content = new Promise<StoredContent>((resolve) => {
			onContent = resolve;
		});
		this.download = new Download(context, {
			...options,
			selection: {
				order: this.#ownReaders === undefined ? 'rarest' : 'demanded',
				demand: this.#demand,
			},
			onContent,
			onProgress: (progress) => {
				this.lanes = progress.lanes;
				onProgress?.(progress);
				for (const reader of this.#readers.values()) {
					reader.onProgress?.(progress);
				}
			},
		});
		this.done = this.#run();
		this.held = Promise.race([content, this.done.then(() => content)]);
		// Callers that await it get the error. If there are none, the rejection must not be unhandled.
		this.held.catch(() => {});
	}

	/** Whether the download runs for its readers only. */
	get isForReaders(): boolean {
		return this.#ownReaders !== undefined;
	}

	/** Adds a reader. Every reader calls {@link leave} in the end. */
	join(reader: Reader, onProgress: ((progress: Progress) => void) | undefined): void {
		this.#readers.set(reader, { onProgress, rest: NOTHING, needed: -1 });
	}

	/** `reader` will need all of `run`. @throws ShoalError ERR_NO_SPACE */
	async expect(reader: Reader, run: ChunkRun): Promise<void> {
		(this.#readers.get(reader) as Attached).rest = run;
		const runs = [...this.#readers.values()].map(({ rest }) => rest);
		await this.#ownReaders?.checkRoom(await this.held, runs);
	}

	/** `reader` needs `run` now. */
	need(reader: Reader, run: ChunkRun): void {
		const attached = this.#readers.get(reader) as Attached;
		if (attached.needed !== run.first) {
			const { first, count } = attached.rest;
			attached.needed = run.first;
			attached.rest = { first: run.first, count: first + count - run.first };
			this.#demand.set(reader, run);
			this.download.transfer?.onDemand();
		}
	}

	/** Removes a reader. A download for readers only ends with its last reader. */
	async leave(reader: Reader): Promise<void> {
		this.#readers.delete(reader);
		this.#demand.remove(reader);
		this.download.transfer?.onDemand();
		if (this.isForReaders && this.#readers.size === 0) {
			await this.end();
		}
	}

	/**
	 * Called by a reader when the download delivers no more bytes. Returns if another source may
	 * deliver them. This is so if this download into a file has ended, or if this download for
	 * readers only was ended, for example because a download into a file replaces it.
	 *
	 * @throws the error of this download, if it is for readers only and has failed
	 */
	async whyOver(): Promise<void> {
		if (!this.isForReaders) {
			await this.done.catch(() => {});
		} else if (this.#ending === undefined) {
			await this.done;
		}
	}

	/** Ends the download. If it runs for readers only, its file is removed. Idempotent. */
	end(reason = new ShoalError('ERR_CLOSED', 'the download was ended')): Promise<void> {
		this.#ending ??= this.#end(reason);
		return this.#ending;
	}

	async #run(): Promise<DownloadResult> {
		try {
			return await this.download.run();
		} catch (error) {
			this.#over();
			throw error;
		} finally {
			// Chunks fetched for readers are kept until the last reader leaves.
			if (!this.isForReaders) {
				this.#over();
			}
		}
	}

	async #end(reason: ShoalError): Promise<void> {
		this.#over();
		if (this.isForReaders && this.download.content !== undefined) {
			this.#context.contents.remove(this.download.content);
		}
		this.download.stop(reason);
		await this.done.catch(() => {});
		await this.#ownReaders?.abandon();
	}
}
