import type { DownloadContext } from './download-types.ts';

/** Most fan-out topics that a download is subscribed to at a time. */
const MOST_TOPICS = 8;
/**
 * Bytes from a topic after which the download stays subscribed only if half of them were useful.
 */
const JUDGED = 8 * 1024 * 1024;

interface Topic {
	/** Whether the broker has confirmed the subscription. */
	isHeard: boolean;
	bytes: number;
	useful: number;
}

/**
 * Chooses the peers to whose fan-out topics a download subscribes. It unsubscribes from the topic
 * of a peer that sends mostly chunks that are here already, or that sends a wrong chunk. While the
 * download rate is limited it subscribes to no topic, because a single downloader cannot slow a
 * fan-out down.
 */
export class FanOutSubscriptions {
	readonly #context: Pick<DownloadContext, 'link' | 'topics' | 'downLimiter'>;
	readonly #seed: string;
	readonly #topics = new Map<string, Topic>();
	readonly #left = new Set<string>();

	constructor(context: Pick<DownloadContext, 'link' | 'topics' | 'downLimiter'>, seed: string) {
		this.#context = context;
		this.#seed = seed;
	}

	/** Subscribes to the topic of `node`, unless there are enough subscriptions. */
	join(node: string): void {
		const { downLimiter, link, topics } = this.#context;
		const isKnown = this.#topics.has(node) || this.#left.has(node);
		if (isKnown || downLimiter.isLimited || this.#topics.size >= MOST_TOPICS) {
			return;
		}
		const topic: Topic = { isHeard: false, bytes: 0, useful: 0 };
		this.#topics.set(node, topic);
		link.subscribe(topics.swarm(this.#seed, node)).then(
			() => {
				topic.isHeard = true;
			},
			// Without the subscription, the peer sends each requested chunk to this node alone. That is
			// slower for the swarm, but not for this node.
			() => this.#topics.delete(node),
		);
	}

	/** Whether this node is subscribed to the fan-out topic of `node`. */
	hears(node: string): boolean {
		if (this.#context.downLimiter.isLimited) {
			this.remove(node);
		}
		return this.#topics.get(node)?.isHeard === true;
	}

	/** `node` has sent `bytes` by fan-out, of which `useful` bytes were missing here. */
	count(node: string, bytes: number, useful: number): void {
		const topic = this.#topics.get(node);
		if (topic !== undefined) {
			topic.bytes += bytes;
			topic.useful += useful;
			if (topic.bytes >= JUDGED) {
				if (topic.useful * 2 < topic.bytes) {
					this.leave(node);
				}
				topic.bytes /= 2;
				topic.useful /= 2;
			}
		}
	}

	/** Unsubscribes from the topic of `node` for the rest of this download. */
	leave(node: string): void {
		this.#left.add(node);
		this.remove(node);
	}

	/** Unsubscribes from the topic of `node`; `join` may subscribe to it again. */
	remove(node: string): void {
		if (this.#topics.delete(node)) {
			const { link, topics } = this.#context;
			// Without a connection there is no subscription either.
			link.unsubscribe(topics.swarm(this.#seed, node)).catch(() => {});
		}
	}

	close(): void {
		for (const node of [...this.#topics.keys()]) {
			this.remove(node);
		}
	}
}
