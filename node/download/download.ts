import {
	type Bitfield,
	type NodeReply,
	parseRequestId,
	type Seed,
	ShoalError,
} from '../../protocol/index.ts';
import type { ChunkWriter } from '../chunk-writer/chunk-writer.ts';
import { InlineWriter } from '../chunk-writer/inline-writer.ts';
import type { PeersHandlers } from '../peers/peer-types.ts';
import { Peers } from '../peers/peers.ts';
import { SeedFinder } from '../peers/seed-finder.ts';
import type { KnownBytes } from '../reuse/known-bytes.ts';
import { hasAllWanted, type StoredContent, wantedBytes } from '../storage/content-store.ts';
import { ofDownload } from '../storage/io-errors.ts';
import { abortError, onAbort } from '../util/abort.ts';
import { ChunkTransfer } from './chunk-transfer.ts';
import { Contributions, type SourceShare } from './contributions.ts';
import type {
	DownloadContext,
	DownloadOptions,
	DownloadResult,
	Progress,
} from './download-types.ts';
import { filesOf } from './files-done.ts';
import { GiveUp } from './give-up.ts';
import { IndexChunks } from './index-chunks.ts';
import { Reuse } from './reuse.ts';
import { type Finished, isForReaders } from './target/target.ts';
import { Waiting } from './waits-for.ts';

type Reply = Extract<NodeReply, { op: 'have' | 'gained' | 'refused' }>;

const PROGRESS_EVERY = 250;
/** If chunks turn out to be wrong on the disk this many times, the download fails. */
const MOST_ROUNDS = 3;
const STOPPED = 'the download was stopped; what is verified is kept';

/** One download from finding its nodes to the finished file. */
export class Download {
	/** The other nodes of the swarm. */
	readonly peers: Peers;
	/** Fetches the seed; undefined if the seed was known at the start. */
	finder: SeedFinder | undefined;
	/**
	 * Fetches the chunks, once the seed is known. The index of a folder has a transfer of its own.
	 * If chunks cannot be copied, or turn out to be wrong on the disk, a new transfer fetches them.
	 */
	transfer: ChunkTransfer | undefined;
	readonly #context: DownloadContext;
	readonly #options: DownloadOptions;
	readonly #giveUp: GiveUp;
	readonly #waiting: Waiting;
	readonly #startedAt = performance.now();
	#phase: Progress['phase'] = 'finding';
	readonly #contributions = new Contributions();
	#content: StoredContent | undefined;
	#reuse: Reuse | undefined;
	/** The older version that the download will replace. */
	#older: KnownBytes | undefined;
	/** The chunks of the index of a folder, until the target is open. */
	#index: IndexChunks | undefined;
	/** Aborted when the download has to end early, so that long operations stop. */
	readonly #ending = new AbortController();
	#isComplete = false;
	#stopListening: () => void = () => {};
	#fail: (error: unknown) => void = () => {};

	constructor(context: DownloadContext, options: DownloadOptions) {
		this.#context = context;
		this.#options = options;
		this.#giveUp = new GiveUp(context, options.id);
		const handlers: PeersHandlers = {
			has: (node, reply, roundTrip) => {
				this.transfer?.onHave(node, reply, roundTrip);
				this.finder?.offer(node, reply);
			},
			gone: (node) => {
				this.transfer?.onGone(node);
				this.finder?.retract(node);
			},
			listed: (nodes, liars) => this.#giveUp.listed(nodes, liars),
		};
		this.peers = new Peers(context, options.id, handlers, options.spared);
		this.#waiting = new Waiting({ ...options.selection, lanes: context.lanes, peers: this.peers });
	}

	/** The stored part of the content; undefined until the seed is known. */
	get content(): StoredContent | undefined {
		return this.#content;
	}

	/** Bytes and chunks received so far, by peer. */
	get shares(): SourceShare[] {
		return this.#contributions.all();
	}

	/**
	 * Runs to the end. After success, the node still holds the content.
	 *
	 * @throws ShoalError ERR_NOT_FOUND, ERR_NO_TRACKER, ERR_TIMEOUT, ERR_EXISTS, ERR_NO_SPACE, ERR_PERMISSION,
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
		// The promise may be rejected when nothing awaits it any more.
		failure.catch(() => {});
		const off = onAbort(signal, () => {
			if (!this.#isComplete) {
				this.#fail(abortError(signal, STOPPED));
			}
		});
		const timer = setInterval(() => this.#isComplete || this.#report(), PROGRESS_EVERY);
		let phases: Promise<DownloadResult> | undefined;
		try {
			if (signal?.aborted) {
				throw abortError(signal, STOPPED);
			}
			phases = this.#phases(failure);
			return await Promise.race([phases, failure]);
		} catch (error) {
			this.#fail(error);
			await this.#stopFetching();
			if (this.#content !== undefined) {
				this.#context.contents.remove(this.#content);
			}
			// Wait for pending operations of the target before it is abandoned.
			await phases?.catch(() => {});
			await target.abandon();
			throw isForReaders(target) ? error : ofDownload(error);
		} finally {
			clearInterval(timer);
			off();
			await this.#stopFetching();
		}
	}

	/** Ends the download: `run` rejects with `error`. */
	stop(error: ShoalError): void {
		this.#fail(error);
	}

	/** A reply about this seed has arrived. @throws ShoalError ERR_MESSAGE, ERR_RANGE */
	onReply(from: string, reply: Reply): void {
		if (reply.op === 'have') {
			this.peers.onHave(from, reply);
		} else if (reply.op === 'gained') {
			this.transfer?.onGained(from, reply);
		} else if (reply.reason === 'busy' || reply.reason === 'not-there') {
			this.finder?.retract(from);
			this.transfer?.onRefused(from, parseRequestId(reply.id), reply.reason === 'busy');
		} else {
			this.peers.remove(from, false);
		}
	}

	async #phases(failure: Promise<never>): Promise<DownloadResult> {
		const { target, onContent, onComplete } = this.#options;
		const { signal } = this.#ending;
		const seed = this.#options.seed ?? (await Promise.race([this.#findSeed(), failure]));
		this.#phase = 'checking';
		const onWait = (): void => {
			this.#phase = 'waiting';
		};
		const onBytes = (): void => {
			this.#phase = 'checking';
		};
		const index = (): Promise<Uint8Array> => this.#fetchIndex(seed, failure);
		const wholeFiles = async (): Promise<readonly string[]> =>
			(await this.#options.known?.wholeFiles?.(seed, signal)) ?? [];
		const asked = { signal, onWait, onBytes, index, wholeFiles };
		const opened = await target.open(seed, asked);
		const { storage, writer, have, wasThere, folder, selected } = opened;
		this.#older = opened.older;
		signal.throwIfAborted();
		const content: StoredContent = { seed, folder, have, selected, storage };
		this.#hold(content);
		const { contents } = this.#context;
		const reuse = new Reuse(content, { writer, contents });
		this.#reuse = reuse;
		reuse.count('known', opened.isCloned ? wantedBytes(content).have : 0);
		await this.#index?.storeInto(content, { writer, contents });
		this.#index = undefined;
		onContent?.(content);
		const { path, verified } = await this.#fetchAndFinish(content, writer, failure);
		const ms = Math.round(performance.now() - this.#startedAt);
		const { length } = wantedBytes(content);
		const kept = Math.max(0, length - this.#contributions.bytes);
		const reused = reuse.of(kept);
		const { files } = filesOf(content);
		const about = { seed, length, files, isPartial: selected !== undefined, path, verified };
		const result = { ...about, ms, sources: this.shares, kept, reused, wasThere };
		this.#isComplete = true;
		onComplete?.(result);
		await target.settle();
		return result;
	}

	#hold(content: StoredContent): void {
		this.#content = content;
		const { contents } = this.#context;
		const { target } = this.#options;
		contents.add(content);
		const stopWaiting = contents.on('announced', (announced) => {
			if (announced === content) {
				stopWaiting();
				this.peers.announced();
			}
		});
		const stopStoring = contents.on('stored', (stored, chunk) => {
			if (stored === content) {
				target.stored(chunk);
			}
		});
		this.#stopListening = () => {
			stopWaiting();
			stopStoring();
		};
	}

	/** @returns the path of the finished file, and what is verified of it @throws ShoalError ERR_IO, and as `run` */
	async #fetchAndFinish(
		content: StoredContent,
		writer: ChunkWriter,
		failure: Promise<never>,
	): Promise<Extract<Finished, { path: string }>> {
		const { target } = this.#options;
		const { signal } = this.#ending;
		for (let round = 0; round < MOST_ROUNDS; round += 1) {
			await Promise.race([this.#takeKnown(content), failure]);
			this.#phase = 'fetching';
			if (!hasAllWanted(content)) {
				await this.#fetchMissing(content, writer, failure);
			}
			this.#phase = 'verifying';
			this.#report();
			const finished = await target.finish(content.seed, { signal });
			if ('path' in finished) {
				return finished;
			}
			signal.throwIfAborted();
			this.#lose(content, finished.bad);
		}
		throw new ShoalError(
			'ERR_IO',
			`the disk does not give back what was written: chunks were wrong ${MOST_ROUNDS} times; check the disk, or choose another folder with -o`,
		);
	}

	/**
	 * Stores the chunks whose bytes are known. Does nothing if the download runs for readers: they
	 * want few chunks, and must not wait for others.
	 */
	async #takeKnown(content: StoredContent): Promise<void> {
		const { digestChunk } = this.#context;
		const { known, target } = this.#options;
		if (!hasAllWanted(content) && !isForReaders(target)) {
			this.#phase = 'checking';
			const searches = [this.#older, known].filter((each) => each !== undefined);
			await this.#reuse?.takeAll(digestChunk, searches, this.#ending.signal);
		}
	}

	/** Fetches what is missing; of chunks that repeat each other, only one. */
	async #fetchMissing(
		content: StoredContent,
		writer: ChunkWriter,
		failure: Promise<never>,
	): Promise<void> {
		const doubles = isForReaders(this.#options.target) ? undefined : this.#reuse?.doubles();
		try {
			await Promise.race([this.#fetch(content, writer, doubles?.chunks), failure]);
		} finally {
			await Promise.race([doubles?.end(), failure]);
			this.#reuse?.count('known', doubles?.bytes);
		}
		// Chunks that could not be copied are fetched.
		if (!hasAllWanted(content)) {
			await Promise.race([this.#fetch(content, writer), failure]);
		}
	}

	/**
	 * Chunks on the disk differ from what was stored: fetches them again, and tells other nodes that
	 * this node lacks them.
	 */
	#lose(content: StoredContent, chunks: readonly number[]): void {
		const { contents, warn } = this.#context;
		const what = `${chunks.length} chunks on the disk are not what was stored there`;
		warn(new ShoalError('ERR_CHANGED', `${what}; they are fetched again`));
		contents.lose(content, chunks);
	}

	async #findSeed(): Promise<Seed> {
		const { id, name, target } = this.#options;
		return await new Promise((found) => {
			this.finder = new SeedFinder(this.#context, {
				id,
				name,
				fallbackName: target.fallbackName,
				peers: this.peers,
				found,
			});
		});
	}

	/**
	 * Fetches the index of a folder. Its chunks are kept in memory until the target is open.
	 *
	 * @throws ShoalError as `run`
	 */
	async #fetchIndex(seed: Seed, failure: Promise<never>): Promise<Uint8Array> {
		const index = new IndexChunks(seed);
		this.#index = index;
		this.#phase = 'fetching';
		const { content } = index;
		const writer = new InlineWriter(seed, content.storage, this.#context.digestChunk);
		await Promise.race([this.#fetch(content, writer), failure]);
		this.#phase = 'checking';
		return index.bytes;
	}

	/** @param later chunks that are not fetched now. @default none */
	async #fetch(content: StoredContent, writer: ChunkWriter, later?: Bitfield): Promise<void> {
		await this.transfer?.close();
		await new Promise<void>((complete) => {
			this.transfer = new ChunkTransfer(this.#context, content, {
				...this.#options.selection,
				peers: this.peers,
				contributions: this.#contributions,
				writer,
				later,
				reuse: this.#reuse,
				complete,
				failed: (error) => this.#fail(error),
			});
			this.#giveUp.restart();
			this.peers.askAll();
		});
		this.peers.requesting(false);
	}

	/** Called every 250 ms: reports the progress, and ends the download if no node has the seed. */
	#report(): void {
		const { id, onProgress } = this.#options;
		const seed = this.#content?.seed;
		const fetching = this.#phase === 'fetching' ? this.transfer : undefined;
		const waitsFor = this.#waiting.reason(fetching);
		this.peers.requesting(fetching !== undefined && !this.#waiting.rests(fetching));
		const lanes = this.transfer?.lanes.counts ?? { direct: 0, broker: 0 };
		onProgress?.({
			phase: this.#phase,
			id,
			name: seed?.name,
			...(this.#content === undefined ? { have: 0, length: 0 } : wantedBytes(this.#content)),
			...filesOf(this.#content),
			rate: this.#context.traffic.down.rate,
			sources: lanes.direct + lanes.broker,
			lanes,
			waitsFor,
		});
		this.#checkGiveUp(waitsFor === 'lane');
	}

	#checkGiveUp(isUnreached: boolean): void {
		if (this.peers.isWaiting) {
			this.#giveUp.restart();
			return;
		}
		// While stored chunks, or the whole file, are checked, nothing is requested.
		const isHere = this.#phase !== 'finding' && this.#phase !== 'fetching';
		const hasBegun = isHere || this.#contributions.bytes > 0;
		const lost =
			this.#options.wait || hasBegun
				? undefined
				: this.#giveUp.lost(this.peers.heardAt, { isUnreached, lastError: this.finder?.lastError });
		if (lost !== undefined) {
			this.#fail(lost);
		}
	}

	/** Resolves when every stored chunk has been reported to the target. */
	async #stopFetching(): Promise<void> {
		this.peers.close();
		this.finder?.close();
		await this.transfer?.close();
		this.#stopListening();
	}
}
