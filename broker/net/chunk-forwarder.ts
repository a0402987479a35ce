import type { Client } from 'aedes';
import {
	type BufferPool,
	PLAIN_PUBLISH,
	parsePlainPublish,
	type Topic,
	type Topics,
} from '../../protocol/index.ts';
import type { PacketTaker } from './packet-reader.ts';
import { type BothWays, count, noFlow } from './traffic.ts';

/** A topic that carries chunks. */
export type ChunkTopic = Extract<Topic, { kind: 'chunk' | 'swarm' }>;

/** Rules for chunk messages. */
export interface ChunkRules {
	/** Whether `client` may publish on `topic`. */
	mayPublish(client: Client, topic: ChunkTopic): boolean;
	/** Whether a chunk is sent to `client` now. If not, the method counts it as shed or refused. */
	mayDeliver(client: Client, topic: ChunkTopic): boolean;
}

/**
 * Forwards chunk messages without Aedes: the received packet itself is sent to the receivers, from
 * the buffer that it was read into. Aedes handles every packet that is not an ordinary chunk
 * message.
 */
export class ChunkForwarder implements PacketTaker {
	/** Counters of messages received and forwarded. */
	readonly traffic: BothWays = { in: noFlow(), out: noFlow() };
	readonly #topics: Topics;
	readonly #rules: ChunkRules;
	readonly #pool: BufferPool;
	/** The subscribed clients of each filter. */
	readonly #subscribers = new Map<string, Set<Client>>();

	/** @param pool the pool that the packets were taken from */
	constructor(topics: Topics, rules: ChunkRules, pool: BufferPool) {
		this.#topics = topics;
		this.#rules = rules;
		this.#pool = pool;
	}

	/** Records that `client` is subscribed to `filter`. */
	subscribed(client: Client, filter: string): void {
		const clients = this.#subscribers.get(filter) ?? new Set();
		this.#subscribers.set(filter, clients.add(client));
	}

	/** Records that `client` has unsubscribed from `filter`. */
	unsubscribed(client: Client, filter: string): void {
		const clients = this.#subscribers.get(filter);
		clients?.delete(client);
		if (clients?.size === 0) {
			this.#subscribers.delete(filter);
		}
	}

	/**
	 * Forwards `packet`, a whole packet of the client `from`, to all subscribers of its topic.
	 *
	 * @returns true if the packet was handled; if false, nothing was done, and Aedes has to handle it
	 * @throws ShoalError ERR_MESSAGE
	 */
	relay(from: Client, packet: Uint8Array): boolean {
		if (packet[0] !== PLAIN_PUBLISH) {
			return false;
		}
		const topic = this.#topics.tryParse(parsePlainPublish(packet).topic);
		if (!isChunkTopic(topic) || !this.#rules.mayPublish(from, topic)) {
			return false;
		}
		const clients = this.#subscribers.get(this.#usualFilter(topic));
		if (clients === undefined) {
			return false;
		}
		const receivers = [...clients].filter((each) => this.#rules.mayDeliver(each, topic));
		count(this.traffic.in, packet.length);
		count(this.traffic.out, packet.length, receivers.length);
		let writing = receivers.length;
		const written = (): void => {
			writing -= 1;
			if (writing <= 0) {
				this.#pool.give(packet);
			}
		};
		for (const { conn } of receivers) {
			conn.write(packet, written);
		}
		if (writing === 0) {
			written();
		}
		return true;
	}

	/**
	 * The filter with which nodes subscribe to `topic`. A wider filter is refused, and a narrower one
	 * is rare.
	 */
	#usualFilter(topic: ChunkTopic): string {
		return topic.kind === 'chunk'
			? this.#topics.inboxFilter(topic.node)
			: this.#topics.swarm(topic.seed, topic.from);
	}
}

function isChunkTopic(topic: Topic | undefined): topic is ChunkTopic {
	return topic?.kind === 'chunk' || topic?.kind === 'swarm';
}
