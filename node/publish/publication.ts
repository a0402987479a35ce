import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import {
	type ChannelDocument,
	compareDocuments,
	formatChannelLink,
	isShoalError,
	quoted,
	type Seed,
	ShoalError,
} from '../../protocol/index.ts';
import type { ChannelSession } from '../channel/channel-session.ts';
import type { Presence } from '../channel/presence.ts';
import { judgeStage, type StageCounts, type StageRules } from '../channel/stage.ts';
import type { Share } from '../seeding/shared-file.ts';
import { Once } from '../util/once.ts';
import { every } from '../util/timers.ts';
import { newerOf } from './channel-store.ts';
import type { ChannelWriter, NewDocument } from './channel-writer.ts';
import { audienceAt, isGivenOut, othersOf, type Rollout, stagesLeft } from './stage-plan.ts';

/** The events of a {@link Publication}. */
export interface PublicationEvents {
	/** The numbers of followers of the open stage have changed. */
	stage(stage: StageCounts & { readonly percent: number }): void;
	/**
	 * Too many followers of the open stage have failed, so the next stage does not begin. If it
	 * `isLast`, there is none: all followers that the version is for get it nevertheless.
	 */
	stageStopped(reason: string, isLast: boolean): void;
	/** The document was published again, with a later end of its validity. */
	renewed(document: ChannelDocument): void;
	/**
	 * Another publisher has signed a newer version. This one publishes nothing more, but goes on
	 * sharing its version.
	 */
	superseded(document: ChannelDocument): void;
	/** Another publisher has signed another document with the same number. */
	twin(document: ChannelDocument): void;
	/** The published path was changed; the copy of the version is shared instead. */
	copyShared(path: string): void;
	/** The version is not shared any more, because its files have changed and there is no copy. */
	ended(error: unknown): void;
	/**
	 * A document could not be published, and will be tried again unless the code is ERR_CHANNEL; a
	 * newer version was signed, but has not arrived on the broker; or a copy could not be made.
	 */
	warning(error: unknown): void;
}

/** The version that a {@link Publication} publishes, and how it does that. */
export interface PublicationOptions {
	readonly session: ChannelSession;
	readonly writer: ChannelWriter;
	/** The shared version. */
	readonly share: Share;
	/** Which followers are connected; undefined if there are no stages. */
	readonly presence: Presence | undefined;
	/** URLs of the brokers, for the link. */
	readonly broker: readonly string[];
	/** ms for which a document is valid. */
	readonly life: number;
	readonly rollout: Rollout;
	readonly rules: Pick<StageRules, 'stopAt' | 'least'>;
}

/** ms between two looks at the stage and at the age of the document. */
const LOOK_EVERY = 1_000;
/** Least ms for which a stage is open, so that the receipts of its followers can arrive. */
const STAGE_LEAST = 3_000;
/** ms before a document that could not be published is tried again: at first, and at the most. */
const RETRY_FIRST = 5_000;
const RETRY_MOST = 60_000;

/** A version of a channel that a node has published, and shares. */
export class Publication {
	readonly #options: PublicationOptions;
	readonly #events = createNanoEvents<PublicationEvents>();
	readonly #listeners: Unsubscribe[] = [];
	/** The stages that are left; the first one is open. */
	#stages: number[];
	#document: ChannelDocument;
	/** Whether another publisher has signed a newer version. */
	#isSuperseded = false;
	/** Whether too many followers of a stage have failed. */
	#isStopped = false;
	/** Failures since the last document was published. */
	#failures = 0;
	/** `performance.now()` from which on a document may be published. */
	#mayAt = 0;
	#stageSince = performance.now();
	#told = '';
	#timer: ReturnType<typeof setInterval>;
	#working: Promise<void> | undefined;
	readonly #stopping = new AbortController();
	readonly #stop = new Once();

	private constructor(options: PublicationOptions, document: ChannelDocument, stages: number[]) {
		const { session } = options;
		this.#options = options;
		this.#document = document;
		this.#stages = stages;
		this.#listeners.push(
			session.on('newest', () => this.#look()),
			session.on('twin', (twin) => this.#events.emit('twin', twin)),
		);
		this.#timer = every(() => this.#look(), LOOK_EVERY);
	}

	/**
	 * Publishes the document of the shared version, with its first stage.
	 *
	 * @throws as {@link ChannelWriter.write}
	 */
	static async begin(options: PublicationOptions, signal?: AbortSignal): Promise<Publication> {
		const { writer, share, rollout } = options;
		let stages: number[] = [];
		const document = await writer.write((newest) => {
			stages = stagesLeft(rollout, share.seed.id, newest);
			return documentOf(options, stages[0] as number, newest);
		}, signal);
		return new Publication(options, document as ChannelDocument, stages);
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof PublicationEvents>(event: E, handler: PublicationEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** Channel id. */
	get channel(): string {
		return this.#document.channel;
	}

	/** The newest document that this publication has published. */
	get document(): ChannelDocument {
		return this.#document;
	}

	/** The seed of the version. */
	get seed(): Seed {
		return this.#options.share.seed;
	}

	/** The shared version. */
	get share(): Share {
		return this.#options.share;
	}

	/** Aborted when the publication is to stop. @internal */
	get stopping(): AbortSignal {
		return this.#stopping.signal;
	}

	/** Resolves when the publication was stopped. @internal */
	get over(): Promise<void> {
		return this.#stop.ended;
	}

	/** The link of the channel. */
	get link(): string {
		const { channel, name } = this.#document;
		return formatChannelLink({ id: channel, name, broker: this.#options.broker });
	}

	/** Emits an event about the files of the version. @internal */
	emit<E extends 'copyShared' | 'ended' | 'warning'>(
		event: E,
		...args: Parameters<PublicationEvents[E]>
	): void {
		this.#events.emit(event, ...args);
	}

	/** Publishes the newest document again, after a reconnect. @internal */
	async repeat(): Promise<void> {
		const { chain, newest } = this.#options.session;
		if (chain !== undefined && newest !== undefined) {
			await this.#options.session.publish(chain, newest);
		}
	}

	/** Ends renewals and stages. The document stays on the broker. */
	stop(): Promise<void> {
		return this.#stop.run(async () => {
			clearInterval(this.#timer);
			this.#stopping.abort();
			for (const remove of this.#listeners) {
				remove();
			}
			await this.#working;
			this.#options.presence?.close();
			await this.#options.session.close();
		});
	}

	#look(): void {
		// While a document of this publication is on its way, it is newer than `#document`.
		if (this.#isSuperseded || this.#working !== undefined) {
			return;
		}
		const { session, writer } = this.#options;
		const { newest } = session;
		const isNewer = newest !== undefined && compareDocuments(newest, this.#document) > 0;
		if (isNewer && !writer.hasSigned(newest)) {
			this.#supersede(newest);
			return;
		}
		const work = session.isUp ? this.#next() : undefined;
		this.#working = work
			?.catch((error: unknown) => this.#onFailure(error))
			.finally(() => {
				this.#working = undefined;
			});
	}

	#supersede(document: ChannelDocument): void {
		this.#isSuperseded = true;
		this.#events.emit('superseded', document);
	}

	#onFailure(error: unknown): void {
		if (this.#stopping.signal.aborted) {
			return;
		}
		// Another attempt cannot repair keys or files that are wrong.
		const isFinal = isShoalError(error, 'ERR_CHANNEL');
		const wait = Math.min(RETRY_MOST, RETRY_FIRST * 2 ** this.#failures);
		this.#failures += 1;
		this.#mayAt = performance.now() + (isFinal ? Number.POSITIVE_INFINITY : wait);
		this.#events.emit('warning', isFinal ? publishesNoMore(error) : error);
	}

	/** Publishes the next stage, or renews the document; undefined if neither is due. */
	#next(): Promise<void> | undefined {
		const { published, until } = this.#document;
		const isDone = this.#stageIsDone();
		if (performance.now() < this.#mayAt) {
			return undefined;
		}
		if (isDone) {
			return this.#beginStage(this.#stages.slice(1));
		}
		return Date.now() > published + (until - published) / 2 ? this.#renew() : undefined;
	}

	async #beginStage(stages: number[]): Promise<void> {
		if (await this.#write(stages[0])) {
			this.#stages = stages;
			this.#stageSince = performance.now();
		}
	}

	async #renew(): Promise<void> {
		if (await this.#write(this.#stages[0])) {
			this.#events.emit('renewed', this.#document);
		}
	}

	/** Whether the next stage has to begin. Emits `stage` if the numbers of the open stage change. */
	#stageIsDone(): boolean {
		const { session, rules, presence, rollout, share } = this.#options;
		const percent = this.#stages[0] as number;
		if (presence?.isKnown !== true || this.#isStopped) {
			return false;
		}
		const { applied, failed, waiting, offline, ...decision } = judgeStage(
			this.#document,
			session.fleet.receipts,
			rules,
			(node) => presence.has(node),
		);
		const stage = { percent, applied, failed, waiting, offline };
		const news = JSON.stringify(stage);
		if (news !== this.#told) {
			this.#told = news;
			this.#events.emit('stage', stage);
		}
		if (decision.next === 'stop') {
			this.#isStopped = true;
			const isLast = isGivenOut(rollout, share.seed.id, this.#document);
			this.#events.emit('stageStopped', decision.reason, isLast);
			return false;
		}
		const isOld = performance.now() - this.#stageSince >= STAGE_LEAST;
		return decision.next === 'next' && isOld && this.#stages.length > 1;
	}

	/**
	 * Publishes the document of the stage of `percent` per cent.
	 *
	 * @returns whether it was published; false if there is a newer document of another publisher
	 * @throws as {@link ChannelWriter.write}
	 */
	async #write(percent = 100): Promise<boolean> {
		const { writer } = this.#options;
		const mine = this.#document;
		let other: ChannelDocument | undefined;
		const document = await writer.write((newest) => {
			const isMine =
				newest === undefined || newest.digest === mine.digest || writer.hasSigned(newest);
			other = isMine ? undefined : newest;
			return isMine ? documentOf(this.#options, percent, mine) : undefined;
		}, this.#stopping.signal);
		if (document !== undefined) {
			this.#document = document;
			this.#failures = 0;
		} else if (other !== undefined) {
			await this.#onOther(other);
		}
		return document !== undefined;
	}

	/** Another publisher has stored a newer document on this machine; warns if it was not published. */
	async #onOther(other: ChannelDocument): Promise<void> {
		const { session } = this.#options;
		const { signal } = this.#stopping;
		this.#supersede(other);
		await session.settled(signal);
		if (!signal.aborted && session.isUp && newerOf(session.newest, other) === other) {
			this.#events.emit('warning', notPublished(other));
		}
	}
}

function publishesNoMore(cause: ShoalError): ShoalError {
	return new ShoalError(
		cause.code,
		`${cause.message}; this process only shares its version from now on: it neither renews it nor begins a stage`,
		{ cause },
	);
}

function notPublished({ name, seq, block }: ChannelDocument): ShoalError {
	return new ShoalError(
		'ERR_CHANNEL',
		`version ${seq} (key block ${block}) of the channel ${quoted(name)} is stored on this machine, but has not arrived on the broker: the process that signed it may have failed; publish again`,
	);
}

function documentOf(
	{ share, rollout, life }: PublicationOptions,
	percent: number,
	newest: ChannelDocument | undefined,
): NewDocument {
	const seed = share.seed.id;
	const to = audienceAt(rollout, percent, seed, newest);
	const before = othersOf(seed, newest);
	return {
		...{ seed, to, life },
		others: to.length === 0 ? undefined : before,
		base: before === undefined || to.length > 0 ? [] : [before],
	};
}
