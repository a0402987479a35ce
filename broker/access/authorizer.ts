import type { Duplex } from 'node:stream';
import type { AedesOptions, Client, PublishPacket } from 'aedes';
import { quoted, ShoalError, type Topic } from '../../protocol/index.ts';
import { addressOf } from '../aedes/connection-end.ts';
import { isWill } from '../aedes/internals.ts';
import type { ChunkRules, ChunkTopic } from '../net/chunk-forwarder.ts';
import { SlowConsumers } from '../net/slow-consumers.ts';
import { count, type Flow, noFlow, publishLength } from '../net/traffic.ts';
import type { Refusal } from './audit-log.ts';
import { ClientSessions, type SessionRefusal } from './client-sessions.ts';
import { type BrokerRefusal, type RefusalCounts, zeroRefusalCounts } from './refusal-counts.ts';
import { refusalError } from './refusal-error.ts';
import { type Member, type Role, readPassword, TokenAuth, type Tokens } from './token-auth.ts';
import { TokenBucket } from './token-bucket.ts';
import {
	type ChannelTopic,
	isBulk,
	isOfChannel,
	mayReceive,
	maySubscribe,
	type PublishRefusal,
	type Rules,
	whyNotPublish,
} from './topic-rules.ts';

type Hooks = Required<
	Pick<
		AedesOptions,
		'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe' | 'authorizeForward'
	>
>;

// CONNACK return codes, MQTT 3.1.1, 3.2.2.3.
const RETURN_CODES: Readonly<Record<SessionRefusal, number>> = {
	id: 2,
	taken: 2,
	token: 5,
	rate: 3,
	clients: 3,
	address: 3,
};

/** Checks what is in the messages of channels. */
export interface ChannelRules {
	/**
	 * Whether a client may publish `payload` on `topic`.
	 *
	 * @param client an object for the connection that it came on
	 */
	check(client: object, topic: ChannelTopic, payload: Uint8Array): boolean;
}

/** Options of {@link Authorizer}. */
export interface AuthorizerOptions {
	readonly rules: Rules;
	/** ms, monotonic. */
	readonly now: () => number;
	readonly warn: (error: ShoalError) => void;
	/** Bytes queued for all clients; the value may be up to 100 ms old. */
	readonly queued: () => number;
	/** Access tokens; undefined: any client may connect as a node. */
	readonly tokens: Tokens | undefined;
	/** Whether the broker retains a message of the node. */
	readonly isKept: (id: string) => boolean;
	/** Checks the messages of channels. */
	readonly channels: ChannelRules;
	readonly audit: (refusal: Refusal) => void;
	/** Called when a client has connected or disconnected. */
	readonly moved: (what: 'joined' | 'left', member: Member) => void;
}

/** Applies the access rules to the clients of an Aedes, except those on trusted streams. */
export class Authorizer implements ChunkRules {
	readonly counts: RefusalCounts = zeroRefusalCounts();
	/** Messages sent to clients, except the chunks that were forwarded without Aedes. */
	readonly sent: Flow = noFlow();
	readonly #rules: Rules;
	readonly #sessions: ClientSessions;
	readonly #slowConsumers: SlowConsumers;
	readonly #warn: (error: ShoalError) => void;
	readonly #trusted = new WeakSet<Duplex>();
	readonly #filters = new WeakMap<Client, Set<string>>();
	/** Clients that request a persistent session and send no client id. */
	readonly #nameless = new WeakSet<Client>();
	readonly #wide = new WeakMap<Client, TokenBucket>();
	readonly tokenAuth: TokenAuth;
	/** The role of each client, by its connection. It is kept for the will of a closed connection. */
	readonly #roles = new WeakMap<Duplex, Role>();
	/** Role and token of each connected client, by its connection. */
	readonly #members = new Map<Duplex, { readonly role: Role; readonly token: string }>();
	readonly #audit: (refusal: Refusal) => void;
	readonly #moved: AuthorizerOptions['moved'];
	readonly #channels: ChannelRules;
	readonly #now: () => number;
	/**
	 * The topic that was parsed last. It is kept because Aedes calls the hooks with the same message
	 * when it is published, and once for each receiver.
	 */
	#last: { readonly topic: string; readonly parsed: Topic | undefined } | undefined;

	constructor(options: AuthorizerOptions) {
		const { rules, now, warn, queued, tokens, isKept, channels, audit, moved } = options;
		this.#rules = rules;
		this.#channels = channels;
		this.tokenAuth = new TokenAuth(tokens, now);
		this.#sessions = new ClientSessions(rules.limits, now, isKept);
		this.#slowConsumers = new SlowConsumers(rules.limits, now, queued);
		this.#warn = warn;
		this.#now = now;
		this.#audit = audit;
		this.#moved = moved;
	}

	/** The number of clients that are connected. */
	get clients(): number {
		return this.#sessions.size;
	}

	/** The IP address from which the client `id` is connected. */
	addressOf(id: string): string | undefined {
		return this.#sessions.addressOf(id);
	}

	/** The hooks of Aedes. */
	get hooks(): Hooks {
		return {
			preConnect: (client, { clientId, clean }, done) => {
				// MQTT 3.1.1, 3.1.3-8: a client without an id cannot have a persistent session.
				if (clientId === '' && clean === false) {
					this.#nameless.add(client);
				}
				done(null, true);
			},
			authenticate: (client, _user, password, done) => {
				// The connection may have ended since CONNECT: a session would never be closed.
				if (client.conn.destroyed) {
					return;
				}
				const why = this.#openSession(client, password);
				if (why === undefined) {
					done(null, true);
					return;
				}
				const error = this.#rejection(why, client);
				const delay = why === 'token' ? this.tokenAuth.wrong(addressOf(client)) : 0;
				delay === 0 ? done(error, false) : setTimeout(() => done(error, false), delay);
			},
			authorizePublish: (client, packet, done) => done(this.#checkPublish(client, packet)),
			authorizeSubscribe: (client, subscription, done) => {
				done(null, this.#maySubscribe(client, subscription.topic) ? subscription : null);
			},
			authorizeForward: (client, packet) => {
				if (!this.#mayForward(client, packet)) {
					return null;
				}
				if (!this.#trusted.has(client.conn)) {
					count(this.sent, publishLength(packet));
				}
				return packet;
			},
		};
	}

	/** Trusts the client at the other end of `stream`: no access rules apply to it. */
	trust(stream: Duplex): void {
		this.#trusted.add(stream);
	}

	/** Replaces the access tokens. Disconnects clients whose token no longer grants their role. */
	setTokens(tokens: Tokens): void {
		this.tokenAuth.set(tokens);
		for (const [conn, { role, token }] of this.#members) {
			if (this.tokenAuth.roleOf(token) !== role) {
				conn.destroy();
			}
		}
	}

	/** Counts a refusal that was made elsewhere. */
	count(why: BrokerRefusal): void {
		this.counts.refused[why] += 1;
	}

	/** Forgets the subscriptions of `client` to `filters`, which it has ended. */
	unsubscribed(client: Client, filters: readonly string[]): void {
		for (const filter of filters) {
			this.#filters.get(client)?.delete(filter);
		}
	}

	/** Cuts the connection `stream` if its client has taken no byte of its queue for `stall` ms. */
	check(stream: Duplex): void {
		if (this.#slowConsumers.isStalled(stream)) {
			this.#cut(stream, 'a client does not read what is queued for it');
		}
	}

	#openSession(client: Client, password: Uint8Array | undefined): SessionRefusal | undefined {
		const { conn, id } = client;
		if (this.#trusted.has(conn)) {
			this.#sessions.reserve(id);
			return undefined;
		}
		if (this.#nameless.has(client)) {
			return 'id';
		}
		const { token, secret } = readPassword(password, this.tokenAuth.isClosed);
		const role = this.tokenAuth.roleOf(token);
		if (role === undefined) {
			return 'token';
		}
		const address = addressOf(client);
		// The rate is checked after the token. So clients without a valid token do not use up the rate
		// of the others.
		if (!this.#sessions.mayConnect(address)) {
			return 'rate';
		}
		const why = this.#sessions.open(conn, { id, address, secret });
		if (why === undefined) {
			this.#roles.set(conn, role);
			this.#members.set(conn, { role, token });
			this.#moved('joined', { id, address, role });
			conn.once('close', () => {
				this.#members.delete(conn);
				this.#sessions.close(conn, id);
				this.#moved('left', { id, address, role });
			});
		}
		return why;
	}

	#roleOf({ conn }: Client): Role {
		return this.#roles.get(conn) ?? 'node';
	}

	#rejection(why: SessionRefusal, client: Client): Error & { returnCode: number } {
		const text = `a client with the id ${quoted(client.id)} is refused: ${why}`;
		const error = this.#refusal(why, text, client, 'connect');
		return Object.assign(error, { returnCode: RETURN_CODES[why] });
	}

	#checkPublish(client: Client | null, packet: PublishPacket): Error | null {
		if (client !== null && this.#trusted.has(client.conn)) {
			return null;
		}
		const { topic } = packet;
		const id = client?.id ?? '';
		const why = this.#whyNotPublish(client, packet);
		if (why === undefined) {
			return null;
		}
		if (client !== null && isWill(client, packet)) {
			const text = `the will of ${quoted(id)} on ${quoted(topic)} is not published: ${why}`;
			const error = this.#refusal(why, text, client, `will ${topic}`);
			// Aedes disconnects the client of a refused publish, and the broker then emits a warning. The
			// client of a will is disconnected already, so the warning is emitted here.
			this.#warn(error);
			return error;
		}
		const text = `${quoted(id)} may not publish on ${quoted(topic)}: ${why}`;
		return this.#refusal(why, text, client, `publish ${topic}`);
	}

	#whyNotPublish(client: Client | null, packet: PublishPacket): PublishRefusal | undefined {
		if (client !== null && this.#roleOf(client) === 'watch') {
			return 'watcher';
		}
		const { topic, qos, retain, payload } = packet;
		const bytes = Buffer.byteLength(payload);
		const why = whyNotPublish(client?.id ?? '', { topic, qos, retain, bytes }, this.#rules);
		const parsed = this.#parse(topic);
		if (why !== undefined || !isOfChannel(parsed)) {
			return why;
		}
		const isFine =
			client !== null &&
			typeof payload !== 'string' &&
			this.#channels.check(client, parsed, payload);
		return isFine ? undefined : 'channel';
	}

	#maySubscribe(client: Client, filter: string): boolean {
		if (this.#trusted.has(client.conn)) {
			return true;
		}
		const about = `subscribe ${filter}`;
		if (!maySubscribe(client.id, filter, this.#rules, this.#roleOf(client))) {
			const text = `${client.id} may not subscribe to ${quoted(filter)}`;
			this.#warn(this.#refusal('filter', text, client, about));
			return false;
		}
		const filters = this.#filters.get(client) ?? new Set();
		const isNew = !filters.has(filter);
		this.#filters.set(client, filters.add(filter));
		const { limits } = this.#rules;
		if (filters.size <= limits.subscriptions && this.#mayAskForAll(client, filter)) {
			return true;
		}
		if (isNew) {
			filters.delete(filter);
		}
		const text = `${client.id} has too many subscriptions`;
		this.#warn(this.#refusal('subscriptions', text, client, about));
		return false;
	}

	/**
	 * Whether the rate of wide filters allows a subscription to `filter`. A filter is wide if it has
	 * a wildcard, unless it is the filter of the client's own inbox, or of the keys or documents of a
	 * channel. The rate is limited because each subscription to a wide filter delivers all retained
	 * messages that match; of a channel, these are at most `channelSenders` keys or documents.
	 */
	#mayAskForAll(client: Client, filter: string): boolean {
		const { topics, limits } = this.#rules;
		const isNarrow =
			!/[+#]/.test(filter) ||
			filter === topics.inboxFilter(client.id) ||
			filter.startsWith(`${topics.root}/channel/`);
		if (isNarrow) {
			return true;
		}
		const now = this.#now();
		const wide = this.#wide.get(client) ?? new TokenBucket(limits.wideRate, limits.wideBurst, now);
		this.#wide.set(client, wide);
		return wide.take(now);
	}

	/** Whether `client` may publish a chunk on `topic`; the message has QoS 0 and is not retained. */
	mayPublish(client: Client, topic: ChunkTopic): boolean {
		const isOwn = topic.from === client.id && this.#roleOf(client) === 'node';
		return isOwn || this.#trusted.has(client.conn);
	}

	/**
	 * Whether a chunk may be sent to `client` now. If not, the chunk is counted as shed or refused,
	 * unless the connection of the client has ended.
	 */
	mayDeliver(client: Client, topic: ChunkTopic): boolean {
		return this.#mayTake(client, topic, true);
	}

	#parse(topic: string): Topic | undefined {
		if (this.#last?.topic !== topic) {
			this.#last = { topic, parsed: this.#rules.topics.tryParse(topic) };
		}
		return this.#last.parsed;
	}

	#mayForward(client: Client, { topic, qos }: PublishPacket): boolean {
		const parsed = this.#parse(topic);
		return this.#mayTake(client, parsed, qos === 0 && isBulk(parsed));
	}

	#mayTake(client: Client, topic: Topic | undefined, isChunk: boolean): boolean {
		const { id, conn } = client;
		if (conn.destroyed) {
			return false;
		}
		// The tracker of the broker is not cut: announces of many nodes can be more than `cutQueue` in one
		// turn of the event loop. Aedes holds back the senders while the tracker does not keep up.
		if (this.#trusted.has(conn)) {
			return true;
		}
		if (!mayReceive(id, topic, this.#roleOf(client))) {
			this.counts.refused.forward += 1;
			return false;
		}
		const verdict = this.#slowConsumers.judge(conn.writableLength, isChunk, this.clients);
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

	#refusal(why: BrokerRefusal, message: string, client: Client | null, about: string): ShoalError {
		this.counts.refused[why] += 1;
		const address = client === null ? '' : addressOf(client);
		this.#audit({ id: client?.id ?? '', address, reason: why, about });
		return refusalError(message);
	}
}
