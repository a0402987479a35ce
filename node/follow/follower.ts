import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import { type ChannelDocument, isShoalError, type ShoalError } from '../../protocol/index.ts';
import type { ChannelSession } from '../channel/channel-session.ts';
import type { Applied, Place, Version } from '../channel/place/place.ts';
import type { DownloadManager } from '../download/download-manager.ts';
import type { Progress } from '../download/download-types.ts';
import type { KnownBytes } from '../reuse/known-bytes.ts';
import type { ContentStore } from '../storage/content-store.ts';
import { checkDocument } from './check-document.ts';
import { dutyOf, isApplied } from './duty.ts';
import { CommandFailure, codeOf, twoPublishers, unkeptDocument, unkeptOutcome } from './failure.ts';
import type { Done, FollowerState } from './follower-state.ts';
import type { Receipts } from './receipts.ts';
import { SharedVersion } from './shared-version.ts';
import { type SwarmCounts, Turn } from './turn.ts';

/** A version that a follower has applied. */
export interface AppliedUpdate {
	/** Channel id. */
	readonly channel: string;
	/** Number of its document. */
	readonly seq: number;
	/** Seed id. */
	readonly id: string;
	/** Absolute path of the file or folder. */
	readonly path: string;
	/** Bytes of the content that were fetched. */
	readonly fetched: number;
	/** Paths of files that people had changed or added, and that were kept; below the followed folder. */
	readonly kept: readonly string[];
}

/** Why a document of a channel is not followed. */
export type FollowRefusal = 'older' | 'expired' | 'forged' | 'malformed' | 'flood' | 'name';

/** The events of a {@link Follower}. */
export interface FollowerEvents {
	/** A version is to be fetched. */
	update(version: Version): void;
	/** The progress of the download of a version. */
	progress(progress: Progress): void;
	/** A version was applied, and its command has succeeded. */
	applied(update: AppliedUpdate): void;
	/**
	 * The version that this follower has to have is applied already: that of the newest document, or
	 * after a rollback the older one.
	 */
	current(version: Version): void;
	/** A version could not be fetched or applied, or its command failed. It is tried again unless `isFinal`. */
	failed(failure: { version: Version; error: unknown; code: string; isFinal: boolean }): void;
	/** A message of the channel was ignored. */
	refused(refusal: { reason: FollowRefusal; seq?: number | undefined }): void;
	/** The channel is closed: no version will come, until it is published again. */
	closed(document: ChannelDocument): void;
	/** The newest document names no version for this follower. */
	notAddressed(document: ChannelDocument): void;
	/**
	 * An operation failed and is tried again, or a clock is wrong. `isBlocking`: nothing newer is followed
	 * until it succeeds.
	 */
	warning(error: unknown, isBlocking?: boolean): void;
}

/** Options of a {@link Follower}. */
export interface FollowerOptions {
	/** Node id. */
	readonly node: string;
	readonly groups: readonly string[];
	/** The expected name of the channel; documents with another name are refused. @default any */
	readonly channelName?: string | undefined;
	readonly session: ChannelSession;
	/** Messages that were ignored before this object was made. */
	readonly early: ReadonlyArray<Parameters<FollowerEvents['refused']>[0]>;
	readonly receipts: Receipts;
	readonly place: Place;
	readonly state: FollowerState;
	readonly contents: ContentStore;
	readonly downloads: DownloadManager;
	/** Finds bytes on this machine. */
	readonly known: KnownBytes;
	/** Asks the tracker how many nodes have a seed; undefined if it does not answer. */
	readonly swarm: (seed: string) => Promise<SwarmCounts | undefined>;
	/** The time by the tracker, ms since 1970; undefined if it is not known. */
	readonly trackerTime: () => number | undefined;
	/**
	 * Called after a version was applied. If it rejects, the version counts as failed, and it is
	 * called again: after a restart if it rejects with a `CommandFailure`, otherwise after 5 s,
	 * then after longer times up to a minute. If this process ends before it is settled, it is
	 * called again after a restart.
	 */
	readonly run: (update: AppliedUpdate, signal: AbortSignal) => Promise<void>;
}

/** ms before a failed version is tried again: at first, and at the most. */
const RETRY_FIRST = 5_000;
const RETRY_MOST = 60_000;
/** ms between two looks at the clock, for the end of the validity. */
const LOOK_EVERY = 30_000;
/** Most things that are remembered as told. */
const MOST_TOLD = 64;

/** Keeps a folder at the version that the newest document of a channel names for this node. */
export class Follower {
	readonly #options: FollowerOptions;
	readonly #events = createNanoEvents<FollowerEvents>();
	readonly #listeners: Unsubscribe[] = [];
	readonly #stopping = new AbortController();
	/** Called when there is a newer document, or a reason to look again. */
	#wake: () => void = () => {};
	/** Stops the download of a version that is not wanted any more. */
	#fetching: { readonly seed: string; readonly stop: AbortController } | undefined;
	readonly #shared: SharedVersion;
	/** The names of the news that were told already: each is told once. */
	readonly #told = new Set<string>();
	#attempts = 0;
	/**
	 * Whether the command of the applied version failed before this process began. It is run again,
	 * because an operator who has mended the cause starts the follower again.
	 */
	#isToRepeat: boolean;
	readonly #turn = new Turn();

	constructor(options: FollowerOptions) {
		const { session, state } = options;
		this.#options = options;
		this.#isToRepeat = state.done?.code !== undefined;
		this.#shared = new SharedVersion(options, (error) => this.#events.emit('warning', error));
		this.#listeners.push(
			session.on('keys', () => this.#keep()),
			session.on('newest', () => this.#onNewest()),
			session.on('refused', ({ reason, seq }) => this.#events.emit('refused', { reason, seq })),
			session.on('twin', ({ seq }) => this.#events.emit('warning', twoPublishers(seq))),
		);
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof FollowerEvents>(event: E, handler: FollowerEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/**
	 * Follows until {@link stop} is called. Errors of a version are events, and the version is tried
	 * again.
	 *
	 * @throws errors of the folder that cannot be repaired by trying again
	 */
	async follow(): Promise<void> {
		// Messages may have arrived before this object was made.
		this.#keep();
		for (const refusal of this.#options.early) {
			this.#events.emit('refused', refusal);
		}
		await this.#shared.share();
		const timer = setInterval(() => this.#wake(), LOOK_EVERY);
		try {
			while (!this.#stopping.signal.aborted) {
				const version = this.#wanted();
				if (version === undefined || this.#turn.wait > 0) {
					await this.#sleep();
				} else if (!(await this.#turn.isOfAnother(() => this.#options.swarm(version.seed)))) {
					await this.#updateIfWanted(version);
				}
			}
		} finally {
			clearInterval(timer);
		}
	}

	/** Stops following, and sharing the version. */
	async stop(): Promise<void> {
		this.#stopping.abort();
		this.#fetching?.stop.abort();
		this.#wake();
		for (const remove of this.#listeners) {
			remove();
		}
		await this.#shared.close();
	}

	#onNewest(): void {
		this.#turn.begin();
		this.#attempts = 0;
		const seed = this.#wanted()?.seed;
		if (this.#fetching !== undefined && this.#fetching.seed !== seed) {
			this.#fetching.stop.abort();
		}
		this.#wake();
	}

	/** The version that has to be applied, or whose command has to be run; undefined if there is none. */
	#wanted(): Version | undefined {
		const document = this.#options.session.newest;
		if (document === undefined || !this.#isValid(document)) {
			return undefined;
		}
		const duty = dutyOf(document, { ...this.#options, isToRepeat: this.#isToRepeat });
		if (duty.kind === 'update') {
			return duty.version;
		}
		if (duty.claim !== undefined) {
			this.#options.receipts.sayNews(duty.claim.version, duty.claim.standing);
		}
		if (duty.kind === 'done') {
			const { version } = duty.claim;
			this.#once(`done ${version.seed}`, () => this.#events.emit('current', version));
		} else {
			const event = document.seed === undefined ? 'closed' : 'notAddressed';
			this.#once(`none ${document.digest}`, () => this.#events.emit(event, document));
		}
		return undefined;
	}

	/** Whether a document may be followed; tells once if it may not, or if a clock is wrong. */
	#isValid(document: ChannelDocument): boolean {
		const { channelName, trackerTime } = this.#options;
		// On the disk before anything is fetched, so that no older document is taken after a restart.
		if (!this.#keep()) {
			return false;
		}
		const { seq } = document;
		const { refused, warning } = checkDocument(document, channelName, Date.now(), trackerTime());
		if (refused !== undefined) {
			this.#once(`${refused} ${seq}`, () => this.#events.emit('refused', { reason: refused, seq }));
		}
		if (warning !== undefined) {
			this.#once('clock', () => this.#events.emit('warning', warning));
		}
		return refused === undefined;
	}

	/** Stores the newest keys and document. @returns whether they are stored; tells once if they are not */
	#keep(): boolean {
		const { state, session } = this.#options;
		const failure = state.tryKeep(session);
		if (failure === undefined) {
			this.#told.delete('unkept');
		} else {
			this.#once('unkept', () => this.#events.emit('warning', unkeptDocument(failure), true));
		}
		return failure === undefined;
	}

	/** Updates to `version`, unless there is a newer one now, or this follower is stopped. */
	async #updateIfWanted({ seed }: Version): Promise<void> {
		const wanted = this.#stopping.signal.aborted ? undefined : this.#wanted();
		if (wanted?.seed === seed) {
			await this.#update(wanted);
		}
	}

	async #update(version: Version): Promise<void> {
		const { place } = this.#options;
		this.#once(`update ${version.seq} ${version.seed}`, () => this.#events.emit('update', version));
		try {
			let fetched = 0;
			if (!isApplied(place, version.seed)) {
				fetched = await this.#fetch(version);
				this.#options.receipts.say(version, { state: 'got', percent: 100 });
				await this.#apply(version);
			} else {
				this.#options.receipts.say(version, { state: 'got', percent: 100 });
			}
			await this.#finish(version, fetched);
			this.#attempts = 0;
		} catch (error) {
			await this.#onFailure(version, error);
		}
	}

	/** @returns the number of bytes fetched */
	async #fetch(version: Version): Promise<number> {
		const { downloads, contents, place, known, session } = this.#options;
		const stop = new AbortController();
		this.#fetching = { seed: version.seed, stop };
		this.#options.receipts.say(version, { state: 'waiting' });
		const target = place.target(version);
		const held = contents.get(version.seed);
		try {
			const result = await downloads.getOrCopy({ id: version.seed }, target, {
				...{ wait: true, signal: stop.signal, known, spared: session.publisher },
				onProgress: (progress) => this.#onProgress(version, progress),
			});
			return result.length - result.kept;
		} finally {
			this.#fetching = undefined;
			// The fetched files are moved to their places next, so they cannot be shared from here.
			const staged = contents.get(version.seed);
			if (staged !== undefined && staged !== held) {
				contents.remove(staged);
			}
			await downloads.release(target);
		}
	}

	#onProgress(version: Version, progress: Progress): void {
		const { phase, have, length, rate } = progress;
		this.#events.emit('progress', progress);
		if (phase === 'fetching') {
			const percent = length === 0 ? 100 : Math.floor((have / length) * 100);
			const left = length - have;
			this.#options.receipts.say(version, {
				state: 'fetching',
				percent,
				rate: Math.round(rate),
				left,
			});
		}
	}

	async #apply(version: Version): Promise<Applied> {
		await this.#shared.end();
		try {
			return await this.#options.place.apply(version, this.#stopping.signal);
		} finally {
			await this.#shared.share();
		}
	}

	/** Runs the command of an applied version, and tells that it is applied. */
	async #finish(version: Version, fetched: number): Promise<void> {
		const { place, session, run } = this.#options;
		const { path, kept } = place.result as Applied;
		const { seq, seed } = version;
		const update = { channel: session.channel, seq, id: seed, path, fetched, kept };
		await run(update, this.#stopping.signal);
		this.#keepOutcome({ seed });
		this.#options.receipts.say(version, { state: 'applied', percent: 100, kept });
		this.#events.emit('applied', update);
	}

	async #onFailure(version: Version, error: unknown): Promise<void> {
		if (this.#stopping.signal.aborted || isShoalError(error, 'ERR_ABORTED')) {
			return;
		}
		if (isShoalError(error, 'ERR_CHANGED') && this.#attempts === 0) {
			// A file was changed during the download: the next download fetches only this file.
			this.#attempts = 1;
			return;
		}
		const code = codeOf(error);
		const isFinal = error instanceof CommandFailure;
		this.#options.receipts.say(version, { state: 'failed', code });
		if (isFinal) {
			this.#keepOutcome({ seed: version.seed, code });
		} else {
			const wait = Math.min(RETRY_MOST, RETRY_FIRST * 2 ** this.#attempts);
			this.#attempts += 1;
			this.#turn.delay(wait);
		}
		this.#events.emit('failed', { version, error, code, isFinal });
	}

	/** Stores the outcome of a version whose command has ended. If that fails, the follower goes on. */
	#keepOutcome(done: Done): void {
		this.#isToRepeat = false;
		try {
			this.#options.state.keepDone(done);
		} catch (error) {
			this.#events.emit('warning', unkeptOutcome(error as ShoalError));
		}
		this.#once(`done ${done.seed}`, () => {});
	}

	/** Runs `tell`, the first time that it is called with `what`. */
	#once(what: string, tell: () => void): void {
		if (!this.#told.has(what)) {
			if (this.#told.size >= MOST_TOLD) {
				this.#told.clear();
			}
			this.#told.add(what);
			tell();
		}
	}

	/** Waits for a newer document, or until a failed version is to be tried again. */
	async #sleep(): Promise<void> {
		await new Promise<void>((resolve) => {
			const { wait } = this.#turn;
			const timer = wait > 0 ? setTimeout(resolve, wait) : undefined;
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
		this.#wake = () => {};
	}
}
