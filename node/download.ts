import {
	type ChunkMessage,
	isShoalError,
	type NodeReply,
	parseRequestId,
	type Seed,
	ShoalError,
} from '../protocol/index.ts';
import type { NodeContext } from './context.ts';
import type { ChunkOrder } from './engine/picker.ts';
import { type Holding, haveBytes } from './holdings.ts';
import { Patience } from './patience.ts';
import { SeedFinder } from './seed-finder.ts';
import { Sources } from './sources.ts';
import type { Target } from './target.ts';
import { type SourceShare, Transfer } from './transfer.ts';

/** How far a download is. */
export interface Progress {
	/** `finding` nodes and the seed, `checking` what is there already, `fetching`, `verifying` the whole. */
	readonly phase: 'finding' | 'checking' | 'fetching' | 'verifying';
	readonly id: string;
	/** Known once the seed is. */
	readonly name?: string | undefined;
	/** Bytes that are verified and stored. */
	readonly have: number;
	readonly length: number;
	/** Bytes per second over the last two seconds. */
	readonly rate: number;
	/** Nodes that are counted on. */
	readonly sources: number;
}

/** A download that is done. */
export interface DownloadResult {
	readonly seed: Seed;
	/** Where the file is. */
	readonly path: string;
	/** How long it took. */
	readonly ms: number;
	/** What came from whom. */
	readonly sources: readonly SourceShare[];
}

/** Options of a {@link Download}. */
export interface DownloadOptions {
	readonly id: string;
	/** The seed, if it is known already. */
	readonly seed?: Seed | undefined;
	/** A name that goes before those of strangers. */
	readonly name?: string | undefined;
	readonly target: Target;
	readonly order: ChunkOrder;
	/** Wait for a seed that nobody has yet. */
	readonly wait: boolean;
	readonly signal?: AbortSignal | undefined;
	readonly onProgress?: ((progress: Progress) => void) | undefined;
	/** The file is verified and has its name; what is left is to have it survive a loss of power. */
	readonly onComplete?: ((result: DownloadResult) => void) | undefined;
	/** The seed is known and its content is coming. */
	readonly onHolding?: ((holding: Holding) => void) | undefined;
}

type Reply = Extract<NodeReply, { op: 'have' | 'gained' | 'refused' }>;

const PROGRESS_EVERY = 250;

/** One download from finding its nodes to the finished file. */
export class Download {
	readonly #context: NodeContext;
	readonly #options: DownloadOptions;
	readonly #sources: Sources;
	readonly #patience: Patience;
	readonly #startedAt = performance.now();
	readonly #listeners: Array<() => void> = [];
	#phase: Progress['phase'] = 'finding';
	#finder: SeedFinder | undefined;
	#transfer: Transfer | undefined;
	#holding: Holding | undefined;
	/** Aborted when it is to end early: nothing long goes on. */
	readonly #ending = new AbortController();
	#isComplete = false;
	#fail: (error: unknown) => void = () => {};

	constructor(context: NodeContext, options: DownloadOptions) {
		this.#context = context;
		this.#options = options;
		this.#patience = new Patience(context, options.id);
		this.#sources = new Sources(context, options.id, {
			has: (node, reply) => {
				this.#transfer?.onHave(node, reply);
				this.#finder?.offer(node, reply);
			},
			gone: (node) => {
				this.#transfer?.onGone(node);
				this.#finder?.retract(node);
			},
			listed: (nodes) => this.#patience.listed(nodes),
		});
	}

	/** What is on the disk of the content, once the seed is known. */
	get holding(): Holding | undefined {
		return this.#holding;
	}

	/**
	 * Runs to the end. What is complete goes on being held by the node.
	 *
	 * @throws ShoalError ERR_NOT_FOUND, ERR_NO_TRACKER, ERR_EXISTS, ERR_NO_SPACE, ERR_PERMISSION,
	 *   ERR_IO, ERR_NAME, ERR_SEED_LIES, ERR_ABORTED, ERR_CLOSED
	 */
	async run(): Promise<DownloadResult> {
		const { signal, target } = this.#options;
		const failure = new Promise<never>((_, reject) => {
			this.#fail = (error) => {
				reject(error);
				this.#ending.abort(error);
			};
		});
		// It may fail when nobody waits for it any more.
		failure.catch(() => {});
		const abort = (): void => {
			if (!this.#isComplete) {
				this.#fail(aborted(signal));
			}
		};
		signal?.addEventListener('abort', abort);
		const timer = setInterval(() => this.#isComplete || this.#report(), PROGRESS_EVERY);
		let phases: Promise<DownloadResult> | undefined;
		try {
			if (signal?.aborted) {
				throw aborted(signal);
			}
			phases = this.#phases(failure);
			return await Promise.race([phases, failure]);
		} catch (error) {
			this.#fail(error);
			this.#stopFetching();
			if (this.#holding !== undefined) {
				this.#context.holdings.remove(this.#holding);
			}
			// What the target has begun comes to its end before the target does.
			await phases?.catch(() => {});
			await target.abandon();
			throw error;
		} finally {
			clearInterval(timer);
			signal?.removeEventListener('abort', abort);
			this.#stopFetching();
		}
	}

	/** Ends it; `run` fails with `error`. */
	stop(error: ShoalError): void {
		this.#fail(error);
	}

	/** A message about this seed has come. @throws ShoalError ERR_MESSAGE, ERR_RANGE */
	onReply(from: string, reply: Reply): void {
		if (reply.op === 'have') {
			this.#sources.onHave(from, reply);
		} else if (reply.op === 'gained') {
			this.#transfer?.onGained(from, reply);
		} else if (reply.reason === 'busy' || reply.reason === 'not-there') {
			this.#finder?.retract(from);
			this.#transfer?.onRefused(from, parseRequestId(reply.id), reply.reason === 'busy');
		} else {
			this.#sources.remove(from, false);
		}
	}

	/** Another node asks about this seed: it is in the swarm. */
	meet(node: string): void {
		this.#sources.consider(node);
	}

	/** Bytes have come. */
	onBytes(from: string, message: ChunkMessage): void {
		this.#patience.heard();
		this.#sources.heard(from);
		if (message.of === 'seed') {
			this.#finder?.onBytes(from, message);
		} else {
			this.#transfer?.onBytes(from, message);
		}
	}

	/** Bytes have come that a node shares with all who listen. */
	onShared(from: string, message: ChunkMessage): void {
		this.#patience.heard();
		this.#sources.heard(from);
		this.#transfer?.onShared(from, message);
	}

	/** The connection was lost. */
	onDisconnected(): void {
		this.#transfer?.onDisconnected();
	}

	async #phases(failure: Promise<never>): Promise<DownloadResult> {
		const { target, onHolding, onComplete } = this.#options;
		const { signal } = this.#ending;
		const seed = this.#options.seed ?? (await Promise.race([this.#findSeed(), failure]));
		this.#phase = 'checking';
		const { storage, have } = await target.open(seed, { signal });
		if (signal.aborted) {
			await storage.close();
			throw new ShoalError('ERR_CLOSED', 'the download is over');
		}
		const holding: Holding = { seed, have, storage };
		this.#holding = holding;
		this.#context.holdings.add(holding);
		onHolding?.(holding);
		this.#phase = 'fetching';
		if (!have.isFull) {
			await Promise.race([this.#fetch(holding), failure]);
		}
		this.#phase = 'verifying';
		this.#report();
		const path = await target.finish(seed, { signal });
		const ms = Math.round(performance.now() - this.#startedAt);
		const result = { seed, path, ms, sources: this.#transfer?.shares ?? [] };
		this.#isComplete = true;
		onComplete?.(result);
		await target.settle();
		return result;
	}

	async #findSeed(): Promise<Seed> {
		const { id, name, target } = this.#options;
		return await new Promise((found) => {
			this.#finder = new SeedFinder(this.#context, {
				id,
				name,
				fallbackName: target.fallbackName,
				found,
				useless: (node, isLying) => this.#sources.remove(node, isLying),
			});
		});
	}

	async #fetch(holding: Holding): Promise<void> {
		const transfer = new Transfer(this.#context, holding, this.#options.order);
		this.#transfer = transfer;
		this.#sources.askAll();
		this.#listeners.push(
			transfer.on('dropped', (node) => this.#sources.remove(node, true)),
			transfer.on('failed', (error) => this.#fail(error)),
		);
		await new Promise<void>((complete) => {
			this.#listeners.push(transfer.on('complete', complete));
		});
	}

	/** Called from time to time: tells how far it is, and gives up if nobody has the seed. */
	#report(): void {
		const { id, onProgress } = this.#options;
		const seed = this.#holding?.seed;
		onProgress?.({
			phase: this.#phase,
			id,
			name: seed?.name,
			have: this.#holding === undefined ? 0 : haveBytes(this.#holding),
			length: seed?.length ?? 0,
			rate: this.#context.down.rate,
			sources: this.#transfer?.sources ?? 0,
		});
		this.#checkPatience();
	}

	#checkPatience(): void {
		if (this.#sources.isWaiting) {
			this.#patience.heard();
			return;
		}
		const hasBegun = this.#phase === 'verifying' || (this.#transfer?.shares.length ?? 0) > 0;
		const lost =
			this.#options.wait || hasBegun ? undefined : this.#patience.lost(this.#finder?.lastError);
		if (lost !== undefined) {
			this.#fail(lost);
		}
	}

	#stopFetching(): void {
		this.#sources.close();
		this.#finder?.close();
		this.#transfer?.close();
		for (const off of this.#listeners) {
			off();
		}
	}
}

function aborted(signal: AbortSignal | undefined): ShoalError {
	return isShoalError(signal?.reason)
		? signal.reason
		: new ShoalError('ERR_ABORTED', 'the download was stopped; what is verified is kept', {
				cause: signal?.reason,
			});
}
