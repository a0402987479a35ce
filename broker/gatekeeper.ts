import type { Duplex } from 'node:stream';
import type { AedesOptions, Client, PublishPacket } from 'aedes';
import { quoted, ShoalError, type Topic } from '../protocol/index.ts';
import {
	isBulk,
	mayReceive,
	maySubscribe,
	type PublishRefusal,
	type Rules,
	whyNotPublish,
} from './access.ts';
import type { ChunkRules, ChunkTopic } from './chunk-lane.ts';
import { Door, type EntryRefusal } from './door.ts';
import { Shedding } from './shedding.ts';
import { TokenBucket } from './token-bucket.ts';

/** Why a broker refused something. */
export type BrokerRefusal =
	| EntryRefusal
	| PublishRefusal
	/** New clients come too fast. */
	| 'rate'
	/** A subscription to what is not the client's to read. */
	| 'filter'
	| 'subscriptions'
	/** A packet that is too large or malformed. */
	| 'packet'
	/** No CONNECT, though it was time. */
	| 'silent'
	/** A message that its receiver must not see. */
	| 'forward';

/** What a gatekeeper has counted. */
export interface GateCounts {
	/** Chunk messages dropped for clients that did not keep up. */
	shed: number;
	/** Clients cut, as they did not take what was queued for them. */
	cut: number;
	readonly refused: Record<BrokerRefusal, number>;
}

type Hooks = Required<
	Pick<
		AedesOptions,
		'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe' | 'authorizeForward'
	>
>;

// CONNACK return codes, MQTT 3.1.1, 3.2.2.3.
const RETURN_CODES: Readonly<Record<EntryRefusal, number>> = {
	id: 2,
	taken: 2,
	clients: 3,
	address: 3,
};

/** Applies the rules to what the clients of an Aedes do. Streams that are trusted may do anything. */
export class Gatekeeper implements ChunkRules {
	readonly counts: GateCounts = {
		shed: 0,
		cut: 0,
		refused: {
			...{ id: 0, taken: 0, clients: 0, address: 0, rate: 0 },
			...{ topic: 0, spoof: 0, qos: 0, retain: 0, size: 0 },
			...{ filter: 0, subscriptions: 0, packet: 0, silent: 0, forward: 0 },
		},
	};
	readonly #rules: Rules;
	readonly #door: Door;
	readonly #shedding: Shedding;
	readonly #warn: (error: ShoalError) => void;
	readonly #trusted = new WeakSet<Duplex>();
	readonly #filters = new WeakMap<Client, Set<string>>();
	readonly #wide = new WeakMap<Client, TokenBucket>();
	readonly #now: () => number;
	/** The last topic that was parsed: one message goes to many, one after the other. */
	#last: { readonly topic: string; readonly parsed: Topic | undefined } | undefined;

	/** @param queued bytes that are queued for all clients, or were a moment ago */
	constructor(
		rules: Rules,
		now: () => number,
		warn: (error: ShoalError) => void,
		queued: () => number,
	) {
		this.#rules = rules;
		this.#door = new Door(rules.limits, now);
		this.#shedding = new Shedding(rules.limits, now, queued);
		this.#warn = warn;
		this.#now = now;
	}

	/** How many clients are in. */
	get clients(): number {
		return this.#door.size;
	}

	/** The IP address from which the client `id` is connected. */
	addressOf(id: string): string | undefined {
		return this.#door.addressOf(id);
	}

	/** The hooks of Aedes. */
	get hooks(): Hooks {
		return {
			preConnect: (client, packet, done) => {
				// Nothing is kept for those who are away: it would grow without bound.
				packet.clean = true;
				const isIn = this.#trusted.has(client.conn) || this.#door.mayKnock();
				done(isIn ? null : this.#refusal('rate', 'clients connect too fast'), isIn);
			},
			authenticate: (client, _user, password, done) => {
				const why = this.#enter(client, password);
				done(why === undefined ? null : this.#rejection(why, client.id), why === undefined);
			},
			authorizePublish: (client, packet, done) => done(this.#checkPublish(client, packet)),
			authorizeSubscribe: (client, subscription, done) => {
				done(null, this.#maySubscribe(client, subscription.topic) ? subscription : null);
			},
			authorizeForward: (client, packet) => (this.#mayForward(client, packet) ? packet : null),
		};
	}

	/** Lets whoever is at the other end of `stream` do anything. */
	trust(stream: Duplex): void {
		this.#trusted.add(stream);
	}

	/** Counts something that was refused elsewhere. */
	count(why: BrokerRefusal): void {
		this.counts.refused[why] += 1;
	}

	/** A client has given up subscriptions. */
	unsubscribed(client: Client, filters: readonly string[]): void {
		for (const filter of filters) {
			this.#filters.get(client)?.delete(filter);
		}
	}

	/** Cuts the connection if it has taken no byte of its queue for too long. */
	check(stream: Duplex): void {
		if (this.#shedding.isStalled(stream)) {
			this.#cut(stream, 'a client takes nothing of what is queued for it');
		}
	}

	#enter(client: Client, password: Uint8Array | undefined): EntryRefusal | undefined {
		const { conn, id } = client;
		if (this.#trusted.has(conn)) {
			return undefined;
		}
		const { remoteAddress: address = '' } = conn as { remoteAddress?: string };
		const why = this.#door.enter(conn, { id, address, password });
		if (why === undefined) {
			conn.once('close', () => this.#door.leave(conn, id));
		}
		return why;
	}

	#rejection(why: EntryRefusal, id: string): Error & { returnCode: number } {
		const error = this.#refusal(why, `a client with the id ${quoted(id)} is refused: ${why}`);
		return Object.assign(error, { returnCode: RETURN_CODES[why] });
	}

	#checkPublish(client: Client | null, packet: PublishPacket): Error | null {
		if (client !== null && this.#trusted.has(client.conn)) {
			return null;
		}
		const { topic, qos, retain, payload } = packet;
		const id = client?.id ?? '';
		const bytes = Buffer.byteLength(payload);
		const why = whyNotPublish(id, { topic, qos, retain, bytes }, this.#rules);
		return why === undefined
			? null
			: this.#refusal(why, `${quoted(id)} may not publish on ${quoted(topic)}: ${why}`);
	}

	#maySubscribe(client: Client, filter: string): boolean {
		if (this.#trusted.has(client.conn)) {
			return true;
		}
		if (!maySubscribe(client.id, filter, this.#rules)) {
			this.#warn(this.#refusal('filter', `${client.id} may not subscribe to ${quoted(filter)}`));
			return false;
		}
		const filters = this.#filters.get(client) ?? new Set();
		this.#filters.set(client, filters.add(filter));
		const { limits } = this.#rules;
		if (filters.size <= limits.subscriptions && this.#mayAskForAll(client, filter)) {
			return true;
		}
		filters.delete(filter);
		this.#warn(this.#refusal('subscriptions', `${client.id} subscribes to too much`));
		return false;
	}

	/** Whether `filter` is narrow, or it is time again for a wide one: all that is kept below it is handed out. */
	#mayAskForAll(client: Client, filter: string): boolean {
		const { topics, limits } = this.#rules;
		if (!/[+#]/.test(filter) || filter === topics.inboxFilter(client.id)) {
			return true;
		}
		const now = this.#now();
		const wide = this.#wide.get(client) ?? new TokenBucket(limits.wideRate, limits.wideBurst, now);
		this.#wide.set(client, wide);
		return wide.take(now);
	}

	/** Whether `client` may publish a chunk on `topic`, which is so with QoS 0 and not retained. */
	mayPublish({ id, conn }: Client, topic: ChunkTopic): boolean {
		return this.#trusted.has(conn) || topic.from === id;
	}

	/** Whether a chunk is handed to `client` now. Counts it if not. */
	mayDeliver(client: Client, topic: ChunkTopic): boolean {
		return this.#mayTake(client, topic, true);
	}

	#mayForward(client: Client, { topic, qos }: PublishPacket): boolean {
		if (this.#last?.topic !== topic) {
			this.#last = { topic, parsed: this.#rules.topics.tryParse(topic) };
		}
		const { parsed } = this.#last;
		return this.#mayTake(client, parsed, qos === 0 && isBulk(parsed));
	}

	#mayTake({ id, conn }: Client, topic: Topic | undefined, isChunk: boolean): boolean {
		if (conn.destroyed) {
			return false;
		}
		if (!this.#trusted.has(conn) && !mayReceive(id, topic)) {
			this.counts.refused.forward += 1;
			return false;
		}
		const verdict = this.#shedding.judge(conn.writableLength, isChunk, this.clients);
		if (verdict === 'shed') {
			this.counts.shed += 1;
		}
		if (verdict === 'cut') {
			this.#cut(conn, `${quoted(id)} does not keep up`);
		}
		return verdict === 'deliver';
	}

	#cut(stream: Duplex, why: string): void {
		if (!stream.destroyed) {
			this.counts.cut += 1;
			this.#warn(new ShoalError('ERR_LIMIT', `${why}: its connection is cut`));
			stream.destroy();
		}
	}

	#refusal(why: BrokerRefusal, message: string): ShoalError {
		this.counts.refused[why] += 1;
		return new ShoalError('ERR_REFUSED', message);
	}
}
