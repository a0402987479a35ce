import { type Seed, ShoalError } from '../../protocol/index.ts';
import type { LaneKind } from '../lanes/lane.ts';
import type { StoredContent } from '../storage/content-store.ts';
import { unlessAborted, unlessStopped } from '../util/abort.ts';
import { ContentSource } from './content-source.ts';
import { copyHeld } from './copy-held.ts';
import type { Download } from './download.ts';
import type {
	DownloadContext,
	DownloadOptions,
	DownloadResult,
	Progress,
} from './download-types.ts';
import type { Reader } from './shared-download.ts';
import { SharedDownload } from './shared-download.ts';
import type { ReadersTarget, Target } from './target/target.ts';

/** Options of a download. */
export interface FetchOptions {
	/** Whether to wait for a seed that no node has yet. @default false: ERR_NOT_FOUND after five seconds */
	readonly wait?: boolean | undefined;
	/** Stops the download: its promise rejects, and verified chunks are kept. @default none */
	readonly signal?: AbortSignal | undefined;
	/** Called four times a second. @default none */
	readonly onProgress?: ((progress: Progress) => void) | undefined;
	/**
	 * Called when the file is verified and has its name. `get` resolves a little later, when the file is synced to the
	 * disk. If that fails, `get` rejects and the file is removed again. @default none
	 */
	readonly onComplete?: ((result: DownloadResult) => void) | undefined;
}

/** Options of a download into a target. */
export type IntoTarget = FetchOptions & Pick<DownloadOptions, 'known' | 'spared'>;

/** Counters and gauges of the downloads of a node. */
export interface DownloadStats {
	/** Downloads that run. */
	readonly running: number;
	/** Nodes that they fetch chunks from, by lane; a node that two downloads use counts twice. */
	readonly sources: Record<LaneKind, number>;
	/** Downloads that are complete. */
	readonly complete: number;
	/** Downloads that failed or were stopped. */
	readonly failed: number;
}

/** A content to download. */
export interface DownloadRequest {
	readonly id: string;
	readonly seed?: Seed | undefined;
	readonly name?: string | undefined;
}

/** Options of {@link DownloadManager.find}. */
export interface FindOptions {
	readonly wait?: boolean | undefined;
	readonly onProgress: (progress: Progress) => void;
	/** Makes the target of a download for readers only. */
	readonly target: () => ReadersTarget;
}

const NOTHING_YET = { have: 0, length: 0, rate: 0, sources: 0, lanes: { direct: 0, broker: 0 } };

/** The downloads of a node, and the readers of contents. */
export class DownloadManager {
	readonly #context: DownloadContext;
	readonly #broken: (content: StoredContent, error: unknown) => void;
	readonly #running = new Map<string, SharedDownload>();
	/** The targets of complete downloads whose contents are still shared. */
	readonly #targets = new Set<Target>();
	readonly #ended = { complete: 0, failed: 0 };
	/** Resolve when the downloads that `stop` has ended are over. */
	#ends: ReadonlyArray<Promise<void>> = [];
	#isStopped = false;

	/** @param broken called if a content has changed or cannot be read */
	constructor(context: DownloadContext, broken: (content: StoredContent, error: unknown) => void) {
		this.#context = context;
		this.#broken = broken;
	}

	/** The running downloads, the nodes they use by lane, and the outcomes of earlier ones. */
	get stats(): DownloadStats {
		const sources = { direct: 0, broker: 0 };
		for (const { lanes } of this.#running.values()) {
			sources.direct += lanes.direct;
			sources.broker += lanes.broker;
		}
		return { running: this.#running.size, sources, ...this.#ended };
	}

	/** The download rate of the node has a lower limit than before. */
	onLowerLimit(): void {
		for (const { download } of this.#running.values()) {
			download.transfer?.onLowerLimit();
		}
	}

	/** The running download of a seed; undefined if there is none. */
	running(seed: string): Download | undefined {
		return this.#running.get(seed)?.download;
	}

	/**
	 * Downloads into `target`. If a download for readers only of the same content is running, it
	 * ends, and its readers read from this download instead.
	 *
	 * @throws ShoalError
	 */
	async get(
		request: DownloadRequest,
		target: Target,
		options: IntoTarget,
	): Promise<DownloadResult> {
		const before = this.#running.get(request.id);
		const isHere = before === undefined && this.#context.contents.get(request.id) !== undefined;
		if (isHere || before?.isForReaders === false) {
			throw new ShoalError('ERR_EXISTS', `this node has or fetches the seed ${request.id} already`);
		}
		void before?.end();
		const result = await this.#start(request, target, options).done;
		this.#targets.add(target);
		return result;
	}

	/**
	 * Downloads into `target` as {@link get} does, except in two cases. A content that this node has
	 * is copied, or left in place if `target` is its file. If a download of the content into a file
	 * is running, waits for that download first.
	 *
	 * @throws ShoalError
	 */
	async getOrCopy(
		request: DownloadRequest,
		target: Target,
		options: IntoTarget,
	): Promise<DownloadResult> {
		const { id } = request;
		while (true) {
			const before = this.#running.get(id);
			const held = this.#context.contents.get(id);
			if (before?.isForReaders === false) {
				options.onProgress?.({ ...NOTHING_YET, phase: 'waiting', id });
				await ended(before, options.signal);
				this.#checkRunning();
			} else if (before === undefined && held?.have.isFull && this.#isUnchanged(held)) {
				return await copyHeld(held, target, options);
			} else {
				// Some files of a folder: this download may need others.
				if (before === undefined && held?.selected !== undefined) {
					this.#context.contents.remove(held);
				}
				return await this.get(request, target, options);
			}
		}
	}

	/** Closes the target of a complete download, whose content the node does not hold any more. */
	async release(target: Target): Promise<void> {
		if (this.#targets.delete(target)) {
			await target.abandon();
		}
	}

	/** The connection to the broker was lost. */
	onDisconnected(): void {
		for (const { download } of this.#running.values()) {
			download.transfer?.onDisconnected();
		}
	}

	/** Ends all running downloads. */
	stop(): void {
		this.#isStopped = true;
		this.#ends = [...this.#running.values()].map((running) => running.end(closed()));
	}

	/** Resolves when all downloads have ended and their files are closed. */
	async close(): Promise<void> {
		await Promise.all(this.#ends);
		await Promise.all([...this.#targets].map((target) => target.abandon()));
	}

	/**
	 * The source for `reader`: a content that the node has, a running download, or a new download for
	 * readers only.
	 *
	 * @throws ShoalError
	 */
	async find(
		request: DownloadRequest,
		reader: Reader,
		options: FindOptions,
	): Promise<ContentSource> {
		const { contents } = this.#context;
		while (true) {
			reader.signal.throwIfAborted();
			this.#checkRunning();
			const held = contents.get(request.id);
			const before = this.#running.get(request.id);
			if (before === undefined && held !== undefined) {
				return new ContentSource(contents, held, reader, undefined, this.#broken);
			}
			const { wait } = options;
			const running = before ?? this.#start(request, options.target(), { wait });
			running.join(reader, options.onProgress);
			try {
				const coming = await unlessAborted(running.held, reader.signal);
				return new ContentSource(contents, coming, reader, running, this.#broken);
			} catch {
				await this.#giveUp(running, reader);
			}
		}
	}

	/** @throws ShoalError ERR_CLOSED */
	#checkRunning(): void {
		if (this.#isStopped) {
			throw closed();
		}
	}

	/** Whether the content `held` is unchanged; if it is not, the node stops holding it. */
	#isUnchanged(held: StoredContent): boolean {
		try {
			held.storage.check();
			return true;
		} catch (error) {
			this.#broken(held, error);
			return false;
		}
	}

	/**
	 * Detaches `reader` from a download that will not deliver.
	 *
	 * @throws the reason, unless another source may deliver
	 */
	async #giveUp(running: SharedDownload, reader: Reader): Promise<void> {
		try {
			reader.signal.throwIfAborted();
			await running.whyOver();
		} finally {
			await running.leave(reader);
		}
	}

	#start(request: DownloadRequest, target: Target, options: IntoTarget): SharedDownload {
		const { wait = false } = options;
		const running = new SharedDownload(
			this.#context,
			{ ...options, ...request, target, wait },
			() => {
				if (this.#running.get(request.id) === running) {
					this.#running.delete(request.id);
				}
			},
		);
		this.#running.set(request.id, running);
		running.done.then(
			() => {
				this.#ended.complete += 1;
			},
			() => {
				this.#ended.failed += 1;
			},
		);
		return running;
	}
}

/**
 * Waits until `running` has succeeded or failed.
 *
 * @throws ShoalError ERR_ABORTED if `signal` is aborted before
 */
async function ended({ done }: SharedDownload, signal?: AbortSignal): Promise<void> {
	const settled = done.then(
		() => {},
		() => {},
	);
	await unlessStopped(settled, signal, 'waiting for another download was stopped');
}

function closed(): ShoalError {
	return new ShoalError('ERR_CLOSED', 'the node was closed');
}
