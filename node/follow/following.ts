import type { Unsubscribe } from 'nanoevents';
import { type ChannelLink, verifyNatively } from '../../protocol/index.ts';
import { ChannelSession, type ChannelSessionOptions } from '../channel/channel-session.ts';
import type { SeedCache } from '../hashing/seed-cache.ts';
import { Once } from '../util/once.ts';
import type { FollowedPlace, FollowedPlaceOptions } from './followed-place.ts';
import {
	type AppliedUpdate,
	Follower,
	type FollowerEvents,
	type FollowerOptions,
} from './follower.ts';
import { Receipts } from './receipts.ts';

/** Options of {@link ShoalNode.follow}. */
export interface FollowOptions extends Pick<FollowedPlaceOptions, 'releases' | 'data'> {
	/** Cache of seeds: bytes of files that it remembers are not fetched again. @default none */
	readonly cache?: SeedCache | undefined;
	/**
	 * Whether the first version is chosen only when no message of the channel has arrived for 300
	 * ms, so that it is the newest one that the broker has; after 2 s at the latest. @default false
	 */
	readonly settles?: boolean | undefined;
	/** The groups that this node is in, at most 8. @default none */
	readonly groups?: readonly string[] | undefined;
	/**
	 * Called after a version was applied. If it rejects, the version counts as failed, and it is
	 * called again: after a restart if it rejects with a `CommandFailure`, otherwise after 5 s,
	 * then after longer times up to a minute. If this process ends before it is settled, it is
	 * called again after a restart. @default none
	 */
	readonly run?: FollowerOptions['run'] | undefined;
}

/** The parts of a node that following uses. */
export type FollowingNode = Pick<
	FollowerOptions,
	'contents' | 'downloads' | 'known' | 'swarm' | 'trackerTime'
> &
	Pick<ChannelSessionOptions, 'link' | 'topics' | 'warn'> & {
		/** Name of the node, for people. */
		readonly name: string | undefined;
	};

/** Most updates that wait to be taken; more: the oldest are dropped, as later ones replace them. */
const MOST_UPDATES = 16;

/**
 * A folder that follows a channel: an iterable of the versions that were applied. It ends when the
 * following is stopped.
 */
export class Following implements AsyncIterable<AppliedUpdate> {
	readonly #follower: Follower;
	readonly #session: ChannelSession;
	readonly #receipts: Receipts;
	readonly #followed: FollowedPlace;
	readonly #running: Promise<void>;
	/** Versions that were not taken from the iterator yet. */
	readonly #updates: AppliedUpdate[] = [];
	#wake: () => void = () => {};
	#isOver = false;
	readonly #stop = new Once();

	private constructor(
		follower: Follower,
		session: ChannelSession,
		receipts: Receipts,
		followed: FollowedPlace,
	) {
		this.#follower = follower;
		this.#session = session;
		this.#receipts = receipts;
		this.#followed = followed;
		follower.on('applied', (update) => {
			this.#updates.push(update);
			if (this.#updates.length > MOST_UPDATES) {
				this.#updates.shift();
			}
			this.#wake();
		});
		// Later, so that the caller can add handlers before the first event.
		this.#running = new Promise<void>((resolve) => {
			setImmediate(resolve);
		})
			.then(() => follower.follow())
			.finally(() => {
				this.#isOver = true;
				this.#wake();
			});
		// The error is thrown by `ended` and by the iterator.
		this.#running.catch(() => {});
	}

	/**
	 * Begins to follow a channel.
	 *
	 * @param followed the folder; it is closed when the following is stopped, or if this throws
	 * @throws ShoalError ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED
	 * @internal
	 */
	static async start(
		node: FollowingNode,
		{ id: channel, name: channelName }: ChannelLink,
		followed: FollowedPlace,
		{ groups = [], run = async () => {}, settles = false }: FollowOptions,
	): Promise<Following> {
		const { link, topics, warn, name } = node;
		const { place, state } = followed;
		try {
			const early: Array<FollowerOptions['early'][number]> = [];
			const session = await ChannelSession.open({
				...{ link, topics, warn, channel, verify: verifyNatively },
				...{ chain: state.chain, newest: state.newest, isKeeper: true },
				handlers: { refused: ({ reason, seq }) => early.push({ reason, seq }) },
			});
			if (settles) {
				await session.settled();
			}
			const receipts = new Receipts(link, topics.receipt(channel, link.id), { name, groups });
			session.on('asked', () => receipts.repeat());
			const about = {
				node: link.id,
				channelName,
				groups,
				run,
				session,
				early,
				receipts,
				place,
				state,
			};
			const { contents, downloads, known, swarm, trackerTime } = node;
			const parts = { contents, downloads, known, swarm, trackerTime };
			return new Following(new Follower({ ...about, ...parts }), session, receipts, followed);
		} catch (error) {
			await place.close();
			throw error;
		}
	}

	/** Calls `handler` at each `event`. @returns a function that removes the handler */
	on<E extends keyof FollowerEvents>(event: E, handler: FollowerEvents[E]): Unsubscribe {
		return this.#follower.on(event, handler);
	}

	/** The newest document of the channel; undefined before one is known. */
	get newest(): ChannelSession['newest'] {
		return this.#session.newest;
	}

	/** Resolves when the following was stopped. @throws ShoalError if the folder cannot be used any more */
	get ended(): Promise<void> {
		return this.#running;
	}

	/** The versions that are applied from now on. */
	async *[Symbol.asyncIterator](): AsyncGenerator<AppliedUpdate, void, void> {
		while (true) {
			const update = this.#updates.shift();
			if (update !== undefined) {
				yield update;
			} else if (this.#isOver) {
				await this.#running;
				return;
			} else {
				await new Promise<void>((resolve) => {
					this.#wake = resolve;
				});
			}
		}
	}

	/** Resolves when the following was stopped. @internal */
	get over(): Promise<void> {
		return this.#stop.ended;
	}

	/** Stops following. The applied version stays; this node does not share it any more. */
	stop(): Promise<void> {
		return this.#stop.run(async () => {
			await this.#follower.stop();
			await this.#running.catch(() => {});
			await this.#receipts.close();
			await this.#session.close();
			await this.#followed.place.close();
		});
	}
}
