import { Readable } from 'node:stream';
import { ShoalError } from '../../protocol/index.ts';
import type { ContentSource } from '../download/content-source.ts';
import type { SourceShare } from '../download/contributions.ts';
import type { Progress } from '../download/download-types.ts';
import { abortError, onAbort } from '../util/abort.ts';
import { type ContentRange, isWhole, type RangeOptions, resolveRange } from './content-range.ts';
import { readContent } from './content-reader.ts';

/** Options of a content that is read while it comes. */
export interface StreamOptions extends RangeOptions {
	/** Wait for a seed that nobody has yet. @default false: ERR_NOT_FOUND after five seconds */
	readonly wait?: boolean | undefined;
	readonly signal?: AbortSignal | undefined;
	/**
	 * Called four times a second while the bytes come from other nodes. `have` and `length` are of the
	 * range: what was read of it, and all of it.
	 */
	readonly onProgress?: ((progress: Progress) => void) | undefined;
	/**
	 * Bytes fetched ahead of what was read, in whole chunks, one at least: a slow reader holds the
	 * download back. @default 16 MiB
	 */
	readonly readAhead?: number | undefined;
}

/** What was read, when all of a range was. */
export interface StreamResult extends ContentRange {
	/**
	 * `whole`: the digest of the content is right. `chunks`: that of each chunk read is, and more
	 * cannot be checked of a range.
	 */
	readonly verified: 'whole' | 'chunks';
	/** How long it took. */
	readonly ms: number;
	/**
	 * What came from whom: in the download that was read from, also for others who read from it.
	 * Nothing if this node had it.
	 */
	readonly sources: readonly SourceShare[];
}

/** Finds the source that a stream reads from. */
export type FindSource = (
	signal: AbortSignal,
	onProgress: (progress: Progress) => void,
) => Promise<ContentSource>;

const READ_AHEAD = 16 * 1024 * 1024;
/** Bytes that wait in memory for the reader: two pieces. */
const BUFFERED = 512 * 1024;

/**
 * A range of a content, in order, fetched while it is read. A Node stream of bytes: for `for await`,
 * `pipeline` and `Readable.toWeb`. It begins to fetch when it is made. Destroying it, or leaving the
 * loop, takes back what was asked for; when it is closed, everything is given back.
 */
export class ContentStream extends Readable {
	/**
	 * Which bytes come, as soon as that is known: before the first of them. Rejects as the stream
	 * does; an error before that is told here, and as an event only to those who listen.
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

	constructor(find: FindSource, options: StreamOptions) {
		super({ highWaterMark: BUFFERED });
		this.#options = options;
		this.#closed = new Promise((resolve) => this.once('close', resolve));
		this.#content = readContent({
			find: async () => {
				this.#source = await find(this.#stop.signal, (progress) => this.#report(progress));
				return this.#source;
			},
			open: ({ content }) => {
				this.#range = resolveRange(content.seed, options);
				this.#open(this.#range);
				return this.#range;
			},
			readAhead: Math.max(1, options.readAhead ?? READ_AHEAD),
		});
		this.opened = new Promise((resolve, reject) => {
			// Heard here, an error before that does not end the process.
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

	/** What was read; undefined until the stream has ended. */
	get result(): StreamResult | undefined {
		return this.#result;
	}

	/** Leaving the loop waits until everything is given back. */
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
