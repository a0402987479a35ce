import {
	isLink,
	isShoalError,
	parseLink,
	parseSeedId,
	Seed,
	ShoalError,
} from '../protocol/index.ts';
import { contentStream } from './content-stream.ts';
import type { NodeContext } from './context.ts';
import { Download } from './download.ts';
import type { DownloadOptions, DownloadResult, Progress } from './download-options.ts';
import type { Holding } from './holdings.ts';
import { FileTarget, type Target, TemporaryTarget } from './target.ts';

/** Options of a download that is read while it comes. */
export interface StreamOptions {
	/** Wait for a seed that nobody has yet. @default false: ERR_NOT_FOUND after five seconds */
	readonly wait?: boolean | undefined;
	readonly signal?: AbortSignal | undefined;
	/** Called four times a second. */
	readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Options of a download into a file. */
export interface GetOptions extends StreamOptions {
	/** A file, or a folder that exists. @default the working folder */
	readonly output?: string | undefined;
	/**
	 * Called when the file is verified and stands under its name. `get` resolves a little later, when
	 * it would survive a loss of power, or fails if the disk does: then the file is taken away again.
	 */
	readonly onComplete?: ((result: DownloadResult) => void) | undefined;
}

/** The downloads of a node. */
export class Downloads {
	readonly #context: NodeContext;
	readonly #running = new Map<string, Download>();
	/** Of downloads that are complete and still served. */
	readonly #targets = new Set<Target>();

	constructor(context: NodeContext) {
		this.#context = context;
	}

	/** The running download of a seed. */
	running(seed: string): Download | undefined {
		return this.#running.get(seed);
	}

	/** Downloads into a file. @throws ShoalError */
	async get(what: string | Seed, options: GetOptions): Promise<DownloadResult> {
		const target = new FileTarget(options.output);
		const result = await this.#run(what, { ...options, target, order: 'rarest' });
		this.#targets.add(target);
		return result;
	}

	/** Downloads in order, gives the bytes as they come, and returns the result. @throws ShoalError */
	async *stream(
		what: string | Seed,
		options: StreamOptions,
	): AsyncGenerator<Uint8Array, DownloadResult> {
		const target = new TemporaryTarget();
		const stop = new AbortController();
		const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
		let onHolding: (holding: Holding) => void = () => {};
		const held = new Promise<Holding>((resolve) => {
			onHolding = resolve;
		});
		const done = this.#run(what, { ...options, signal, target, order: 'ascending', onHolding });
		const failure = done.then(() => new Promise<never>(() => {}));
		failure.catch(() => {});
		try {
			const holding = await Promise.race([held, failure]);
			yield* contentStream(this.#context.holdings, holding, failure);
			const result = await done;
			this.#context.holdings.remove(holding);
			return result;
		} catch (error) {
			if (isShoalError(error, 'ERR_CLOSED')) {
				// The file was closed under the reader as the download has failed: that is the reason.
				await done;
			}
			throw error;
		} finally {
			stop.abort();
			await done.catch(() => {});
			await target.abandon();
		}
	}

	/** The connection was lost. */
	onDisconnected(): void {
		for (const download of this.#running.values()) {
			download.onDisconnected();
		}
	}

	/** Ends those that run. */
	stop(): void {
		for (const download of this.#running.values()) {
			download.stop(new ShoalError('ERR_CLOSED', 'the node was closed'));
		}
	}

	/** Gives the files back. */
	async close(): Promise<void> {
		await Promise.all([...this.#targets].map((target) => target.abandon()));
	}

	async #run(
		what: string | Seed,
		options: Omit<DownloadOptions, 'id' | 'seed' | 'name' | 'wait'> & StreamOptions,
	): Promise<DownloadResult> {
		const wanted = wantedOf(what);
		if (this.#running.has(wanted.id) || this.#context.holdings.get(wanted.id) !== undefined) {
			throw new ShoalError('ERR_EXISTS', `this node has or fetches the seed ${wanted.id} already`);
		}
		const wait = options.wait ?? false;
		const download = new Download(this.#context, { ...options, ...wanted, wait });
		this.#running.set(wanted.id, download);
		try {
			return await download.run();
		} finally {
			this.#running.delete(wanted.id);
		}
	}
}

function wantedOf(what: string | Seed): { id: string; seed?: Seed; name?: string | undefined } {
	if (what instanceof Seed) {
		return { id: what.id, seed: what };
	}
	if (isLink(what)) {
		const { id, name } = parseLink(what);
		return { id, name };
	}
	return { id: parseSeedId(what) };
}
