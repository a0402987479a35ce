import { Readable } from 'node:stream';
import { ShoalError } from '../../protocol/index.ts';
import type { ContentSource } from '../download/content-source.ts';
import type { SourceShare } from '../download/contributions.ts';
import type { Progress } from '../download/download-types.ts';
import { abortError, onAbort } from '../util/abort.ts';
import {
	type ContentRange,
	fileOf,
	isWhole,
	type RangeOptions,
	rawContent,
	resolveRange,
} from './content-range.ts';
import { readContent, readFolder } from './content-reader.ts';
import { FolderCache } from './folder-cache.ts';

/** Options of {@link ShoalNode.stream}. */
export interface StreamOptions extends RangeOptions {
	/** The path of the file to read, if the content is a folder. @default the content is a file */
	readonly path?: string | undefined;
	/**
	 * Whether a folder is read as it is sent: its index, then its files, one after the other. The
	 * range counts from the start of the index; `path` is not used. @default false
	 */
	readonly raw?: boolean | undefined;
	/** Whether to wait for a seed that no node has yet. @default false: ERR_NOT_FOUND after five seconds */
	readonly wait?: boolean | undefined;
	/** Ends the stream with an error. @default none */
	readonly signal?: AbortSignal | undefined;
	/**
	 * Called four times a second while bytes come from other nodes. `have` is the number of bytes of
	 * the range that were read, `length` the number of all bytes of the range. @default none
	 */
	readonly onProgress?: ((progress: Progress) => void) | undefined;
	/**
	 * Bytes that are fetched ahead of the reader, in whole chunks, at least one chunk. A slow reader slows the download
	 * down. @default 16 MiB
	 */
	readonly readAhead?: number | undefined;
}

/** The result of a stream that has ended: the range that was read. */
export interface StreamResult extends ContentRange {
	/**
	 * `whole`: the digest of the whole content is right. `chunks`: the digest of each chunk that was
	 * read is right; for a range, no more can be checked.
	 */
	readonly verified: 'whole' | 'chunks';
	/** Milliseconds from the start to the end of the stream. */
	readonly ms: number;
	/**
	 * The bytes that each node has sent, on each lane, for the download from which the stream was
	 * read; other streams may be read from the same download. Empty if the node had the content.
	 */
	readonly sources: readonly SourceShare[];
}

/** Finds the source from which a stream is read. */
export type FindSource = (
	signal: AbortSignal,
	onProgress: (progress: Progress) => void,
) => Promise<ContentSource>;

const READ_AHEAD = 16 * 1024 * 1024;
/** Bytes that wait in memory for the reader: two pieces. */
const BUFFERED = 512 * 1024;

/**
 * A range of a content as a readable stream of Node.js: for `for await`, `pipeline` and
 * `Readable.toWeb`. Bytes arrive in order and are fetched while they are read; fetching starts when
 * the stream is made. Destroying the stream, or leaving the loop, cancels open requests. The event
 * `close` follows when all files and requests are released.
 */
export class ContentStream extends Readable {
	/**
	 * Resolves with the range before its first byte arrives. Rejects with the error that ends the
	 * stream before that; such an error does not end the process, even without a listener for the
	 * event `error`.
	 */
	readonly opened: Promise<ContentRange>;
	readonly #startedAt = performance.now();
	readonly #stop = new AbortController();
	readonly #closed: Promise<void>;
	readonly #content: AsyncGenerator<Uint8Array>;
	readonly #options: StreamOptions;
	#open: (range: ContentRange) => void = () => {};
	#range: ContentRange | undefined;
	#source: ContentSource | undefined;
	#read = 0;
	#result: StreamResult | undefined;

	/** {@link ShoalNode.stream} makes streams. @internal */
	constructor(find: FindSource, options: StreamOptions, folders = new FolderCache()) {
		super({ highWaterMark: BUFFERED });
		this.#options = options;
		this.#closed = new Promise((resolve) => this.once('close', resolve));
		this.#content = readContent({
			find: async () => {
				this.#source = await find(this.#stop.signal, (progress) => this.#report(progress));
				return this.#source;
			},
			open: async (source) => {
				const { seed } = source.content;
				const file = options.raw
					? rawContent(seed)
					: fileOf(seed, await readFolder(source, folders), options.path);
				this.#range = resolveRange(file, options);
				this.#open(this.#range);
				return this.#range;
			},
			readAhead: Math.max(1, options.readAhead ?? READ_AHEAD),
		});
		this.opened = new Promise((resolve, reject) => {
			// With this listener, an error before the stream is open does not end the process.
			this.once('error', reject);
			this.once('close', () => reject(new ShoalError('ERR_ABORTED', 'the stream was closed')));
			this.#open = (range) => {
				this.off('error', reject);
				resolve(range);
			};
		});
		this.opened.catch(() => {});
		const { signal } = options;
		const stop = (): unknown => this.destroy(abortError(signal, 'the stream was stopped'));
		this.once('close', onAbort(signal, stop));
		this.read(0);
	}

	/** The result; undefined until the stream has ended. */
	get result(): StreamResult | undefined {
		return this.#result;
	}

	/** Iterates over the bytes. Leaving the loop waits until all files and requests are released. */
	override [Symbol.asyncIterator](): NodeJS.AsyncIterator<Uint8Array> {
		return this.#iterate();
	}

	override _read(): void {
		this.#content.next().then(
			({ done, value }) => {
				if (done) {
					this.#finish();
					this.push(null);
				} else {
					this.#read += value.length;
					this.push(value);
				}
			},
			(error: unknown) => this.destroy(error as Error),
		);
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		this.#stop.abort(error ?? new ShoalError('ERR_ABORTED', 'the stream was closed'));
		this.#content.return(undefined).then(
			() => done(error),
			() => done(error),
		);
	}

	async *#iterate(): AsyncGenerator<Uint8Array, undefined> {
		try {
			yield* super[Symbol.asyncIterator]() as AsyncIterable<Uint8Array>;
		} finally {
			await this.#closed;
		}
	}

	#finish(): void {
		const range = this.#range as ContentRange;
		this.#result = {
			...range,
			verified: isWhole(range) ? 'whole' : 'chunks',
			ms: Math.round(performance.now() - this.#startedAt),
			sources: this.#source?.sources ?? [],
		};
	}

	#report(progress: Progress): void {
		const length = this.#range?.length ?? progress.length;
		this.#options.onProgress?.({ ...progress, have: this.#read, length });
	}
}
