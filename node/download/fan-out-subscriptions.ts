import { isShoalError, ShoalError } from '../../protocol/index.ts';
import type { DownloadContext } from './download-types.ts';

/** Most fan-out topics that a download is subscribed to at a time. */
const MOST_TOPICS = 8;
/**
 * Bytes from a topic after which the download stays subscribed only if half of them were useful.
 */
const JUDGED = 8 * 1024 * 1024;
/**
 * ms for which a download stays subscribed to a topic that it needs no more: open requests may still
 * be answered there. As long as a seeder takes to answer all that a window holds.
 */
const LAST_ANSWERS = 2_000;
/** Connections that end at a subscription, after which a download subscribes to no more topics. */
const MOST_ENDED = 3;

type Context = Pick<DownloadContext, 'link' | 'topics' | 'downLimiter' | 'warn'>;

interface Topic {
	/** Whether the broker has confirmed the subscription. */
	isHeard: boolean;
	/** Offset of the last message; undefined before the first one. */
	last: number | undefined;
	bytes: number;
	useful: number;
	/** Ends the subscription; undefined: the topic is in use. */
	retired: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Chooses the peers to whose fan-out topics a download subscribes. It unsubscribes from the topic
 * of a peer that sends mostly chunks that are here already, or that sends a wrong chunk. While the
 * download rate is limited it subscribes to no topic, because a single downloader cannot slow a
 * fan-out down.
 */
export class FanOutSubscriptions {
	readonly #context: Context;
	readonly #seed: string;
	readonly #topics = new Map<string, Topic>();
	readonly #left = new Set<string>();
	/** Sessions of the connections that have ended before a subscription was confirmed. */
	readonly #ended = new Set<string>();

	constructor(context: Context, seed: string) {
		this.#context = context;
		this.#seed = seed;
	}

	/** Subscribes to the topic of `node`, unless there are enough subscriptions. */
	join(node: string): void {
		const { downLimiter, link, topics } = this.#context;
		if (this.#left.has(node) || downLimiter.isLimited || this.#ended.size >= MOST_ENDED) {
			return;
		}
		const known = this.#topics.get(node);
		if (known !== undefined) {
			clearTimeout(known.retired);
			known.retired = undefined;
			return;
		}
		if (this.#topics.size >= MOST_TOPICS && !this.#removeRetired()) {
			return;
		}
		const counts = { last: undefined, bytes: 0, useful: 0 };
		const topic: Topic = { isHeard: false, ...counts, retired: undefined };
		this.#topics.set(node, topic);
		const { session } = link;
		link.subscribe(topics.swarm(this.#seed, node)).then(
			() => {
				topic.isHeard = true;
			},
			// Without the subscription, the peer sends each requested chunk to this node alone. That is
			// slower for the swarm, but not for this node. The link would subscribe again when it
			// reconnects, so the subscription is ended.
			(error: unknown) => {
				if (this.#topics.get(node) === topic) {
					this.remove(node);
					this.#onFailure(session, error);
				}
			},
		);
	}

	/** RabbitMQ ends the connection of a client that subscribes to what it may not. */
	#onFailure(session: string, error: unknown): void {
		if (!isShoalError(error, 'ERR_DISCONNECTED') || this.#ended.has(session)) {
			return;
		}
		this.#ended.add(session);
		if (this.#ended.size === MOST_ENDED) {
			const { topics, warn } = this.#context;
			const filter = `${topics.root}/swarm/+/+`;
			const text = `${MOST_ENDED} connections to the broker have ended at a subscription to ${filter}, so this download makes none any more, and gets each chunk by itself; do the access rules of the broker allow it (shoal acl)?`;
			warn(new ShoalError('ERR_REFUSED', text, { cause: error }));
		}
	}

	/** Whether `node` may answer a request of this node on its fan-out topic. */
	hears(node: string): boolean {
		const topic = this.#topicOf(node);
		return topic?.isHeard === true && topic.retired === undefined;
	}

	/**
	 * A message with the bytes from `offset` on has arrived on the fan-out topic of `node`.
	 *
	 * @returns whether this node uses it
	 */
	accepts(node: string, offset: number): boolean {
		const topic = this.#topicOf(node);
		if (topic !== undefined) {
			topic.last = offset;
		}
		return topic !== undefined;
	}

	/** Offset of the last message that arrived on the fan-out topic of `node`; undefined: none. */
	lastFrom(node: string): number | undefined {
		return this.#topics.get(node)?.last;
	}

	/** `node` has sent `bytes` by fan-out, of which `useful` bytes were missing here. */
	count(node: string, bytes: number, useful: number): void {
		const topic = this.#topics.get(node);
		if (topic !== undefined) {
			topic.bytes += bytes;
			topic.useful += useful;
			if (topic.bytes >= JUDGED) {
				if (topic.useful * 2 < topic.bytes) {
					this.#left.add(node);
					this.retire(node);
				}
				topic.bytes /= 2;
				topic.useful /= 2;
			}
		}
	}

	/** Unsubscribes from the topic of `node` at once, and for the rest of this download. */
	leave(node: string): void {
		this.#left.add(node);
		this.remove(node);
	}

	/** Unsubscribes from the topic of `node` as soon as the open requests are answered. */
	retire(node: string): void {
		const topic = this.#topics.get(node);
		if (topic !== undefined && topic.retired === undefined) {
			topic.retired = setTimeout(() => this.remove(node), LAST_ANSWERS);
		}
	}

	/** Unsubscribes from a topic that is in use no more. @returns whether there was one */
	#removeRetired(): boolean {
		for (const [node, { retired }] of this.#topics) {
			if (retired !== undefined) {
				this.remove(node);
				return true;
			}
		}
		return false;
	}

	/** Unsubscribes from the topic of `node`; `join` may subscribe to it again. */
	remove(node: string): void {
		const topic = this.#topics.get(node);
		if (topic !== undefined) {
			clearTimeout(topic.retired);
			this.#topics.delete(node);
			const { link, topics } = this.#context;
			// Without a connection there is no subscription either.
			link.unsubscribe(topics.swarm(this.#seed, node)).catch(() => {});
		}
	}

	#topicOf(node: string): Topic | undefined {
		if (this.#context.downLimiter.isLimited) {
			this.remove(node);
		}
		return this.#topics.get(node);
	}

	close(): void {
		for (const node of [...this.#topics.keys()]) {
			this.remove(node);
		}
	}
}
