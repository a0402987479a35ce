import { createNanoEvents, type Unsubscribe } from 'nanoevents';
import type { Listener, Peer } from '../../broker/for-nodes.ts';
import {
	hostOf,
	type Incoming,
	isLoopback,
	type Limits,
	type Link,
	leadsHome,
	type Topics,
} from '../../protocol/index.ts';
import { later } from '../util/timers.ts';
import type { Dial } from './dial.ts';
import { DialBackoff } from './dial-backoff.ts';
import type { DirectLane, Lane, LaneKind } from './lane.ts';
import { silentPeer, wrongPeer } from './wrong-peer.ts';

/** Options of {@link Lanes}. */
export interface LanesOptions {
	/** Opens a direct lane; undefined if only the broker can be reached. */
	readonly dial: Dial | undefined;
	readonly link: Link;
	readonly topics: Topics;
	readonly limits: Limits;
	/** Which lanes are used: the best that works, or one kind only. */
	readonly kind: 'auto' | LaneKind;
	/** Called with each message on a direct lane that this node has dialled. */
	readonly onMessage: (message: Incoming, lane: DirectLane) => void;
	/**
	 * Called if another program or machine answers at the address of a node, or if nothing arrives on
	 * the lane to a node.
	 */
	readonly warn: (error: unknown) => void;
}

/** Events of {@link Lanes}. */
export interface LanesEvents {
	/** Messages to `node` take another lane now: a direct one, or the broker lane again. */
	changed(node: string, lane: Lane): void;
	/** A direct lane is closed. */
	closed(): void;
}

/** How a node may be reached. */
export interface PeerAddresses {
	readonly addresses: readonly string[];
	/** SHA-256 of the certificate that the node has there, if the addresses are mqtts: URLs. */
	readonly cert?: string | undefined;
	/** The number of addresses, from the first on, at which the broker has seen the node. */
	readonly verified: number;
	readonly ticket: string;
}

/** A lane, the performance.now() of its opening, and whether a message has arrived on it. */
interface Opened {
	readonly lane: DirectLane;
	readonly openedAt: number;
	isHeard: boolean;
}

interface Attempt {
	readonly abort: AbortController;
	readonly done: Promise<void>;
}

/** Most addresses that are dialled if the broker has seen the node at none of its addresses. */
const MOST_UNSEEN = 2;
/**
 * Two lanes between the same nodes that open within this many ms have crossed; otherwise the newer
 * lane is the one that works.
 */
export const CROSSING = 5_000;
/**
 * ms after which a lane that another one has replaced is closed: until the peer knows the other
 * lane, it still sends on this one.
 */
const LINGER = 1_000;
/** When an answer is late, a lane is closed after this many ms without a byte. */
const DEAD = 700;

/**
 * The lanes to other nodes: the direct lane if one is open, otherwise the broker lane. This class
 * chooses the lane of a message, with two exceptions: an answer takes the lane of its request, and
 * a peer that did not answer on its direct lane is asked through the broker.
 */
export class Lanes {
	readonly #options: LanesOptions;
	readonly #broker: Lane;
	readonly #direct = new Map<string, Opened>();
	/** The lanes that other nodes have opened. */
	readonly #accepted = new Map<Peer, DirectLane>();
	/** Lanes that are not used any more, but still received from. */
	readonly #replaced = new Set<DirectLane>();
	readonly #dialling = new Map<string, Attempt>();
	readonly #backoff = new DialBackoff();
	readonly #events = createNanoEvents<LanesEvents>();
	#listener: Listener | undefined;
	#isClosed = false;

	constructor(options: LanesOptions) {
		this.#options = options;
		const { link } = options;
		this.#broker = {
			kind: 'broker',
			get isUp() {
				return link.isUp;
			},
			get queued() {
				return link.queued;
			},
			send: (topic, payload, released) => link.send(topic, payload, released),
			drained: () => link.drained(),
		};
	}

	on<E extends keyof LanesEvents>(event: E, handler: LanesEvents[E]): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** The lane through the broker. */
	get broker(): Lane {
		return this.#broker;
	}

	/** The lane to `node` now. */
	to(node: string): Lane {
		return this.#direct.get(node)?.lane ?? this.#broker;
	}

	/** The lane that `peer` has opened; the broker lane if there is none yet. */
	from(peer: Peer | undefined): Lane {
		return (peer && this.#accepted.get(peer)) ?? this.#broker;
	}

	/**
	 * Whether chunks may be requested from `node`. If this node uses only direct lanes, true while a
	 * direct lane to `node` is open; otherwise always true.
	 */
	reaches(node: string): boolean {
		return this.#direct.has(node) || this.#options.kind !== 'direct';
	}

	/** A message of `node` has arrived on its direct lane. */
	heard(node: string): void {
		const opened = this.#direct.get(node);
		if (opened?.isHeard === false) {
			opened.isHeard = true;
			this.#backoff.worked(node);
		}
	}

	/**
	 * `node` has not answered in time: if no byte arrives on its direct lane for another `DEAD` ms,
	 * the lane is closed.
	 */
	suspect(node: string): void {
		const opened = this.#direct.get(node);
		if (opened === undefined) {
			return;
		}
		const { lane } = opened;
		const before = lane.received;
		const check = (since: number, isLast: boolean): void => {
			if (this.#direct.get(node) !== opened || lane.received !== before) {
				return;
			}
			// If this process was suspended, the bytes that arrived meanwhile have not been read yet.
			if (!isLast && Date.now() - since > 2 * DEAD) {
				look(true);
				return;
			}
			this.#gaveUp(node, opened);
			lane.close();
			this.#closed(node, lane);
		};
		const look = (isLast: boolean): void => {
			const since = Date.now();
			later(() => check(since, isLast), DEAD);
		};
		look(false);
	}

	/** From now on, each node that connects to `listener` has a direct lane. */
	listen(listener: Listener): void {
		this.#listener = listener;
		listener.on('joined', (peer) => {
			const lane = laneOf(peer);
			this.#accepted.set(peer, lane);
			this.#opened(peer.id, lane);
		});
		listener.on('left', (peer) => {
			const lane = this.#accepted.get(peer);
			this.#accepted.delete(peer);
			if (lane !== undefined) {
				this.#closed(peer.id, lane);
			}
		});
	}

	/**
	 * Tries to open a direct lane to `node`, unless there is one or the last try was too recent.
	 * Resolves when the lane is open, or the try has failed.
	 */
	async reach(node: string, peer: PeerAddresses): Promise<void> {
		const { kind, dial } = this.#options;
		const mayDial = kind !== 'broker' && !this.#isClosed && !this.#direct.has(node);
		const addresses = this.#worthTrying(peer);
		if (this.#dialling.has(node)) {
			await this.#dialling.get(node)?.done;
		} else if (
			mayDial &&
			dial !== undefined &&
			addresses.length > 0 &&
			this.#backoff.isTime(node, performance.now())
		) {
			const abort = new AbortController();
			const done = this.#dial(dial, node, { ...peer, addresses }, abort.signal);
			this.#dialling.set(node, { abort, done });
			await done;
		}
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		for (const { abort } of this.#dialling.values()) {
			abort.abort();
		}
		const opened = [...this.#direct.values()].map(({ lane }) => lane);
		for (const lane of [...opened, ...this.#replaced]) {
			lane.close();
		}
		await this.#listener?.close();
	}

	/**
	 * The addresses to dial. If the brokers are used with TLS: the mqtts: URLs, and none if the
	 * certificate of the node is not known. Otherwise: the mqtt: URLs, and none if the node has a
	 * certificate. Nodes do not listen at other URLs, and a ws: URL could send a request of the other
	 * node's choice to a web server. If all brokers are on other machines, and the broker has not seen
	 * the node at its addresses: none that leads to this machine.
	 */
	#worthTrying({ addresses, cert, verified }: PeerAddresses): readonly string[] {
		const { isSecure, urls } = this.#options.link;
		const isHere = verified > 0 || urls.some((url) => isLoopback(hostOf(url)));
		const worth = verified > 0 ? addresses.slice(0, verified) : addresses.slice(0, MOST_UNSEEN);
		return isSecure === (cert !== undefined)
			? worth.filter((url) => {
					const isUsual = new URL(url).protocol === (isSecure ? 'mqtts:' : 'mqtt:');
					return isUsual && (isHere || !leadsHome(hostOf(url)));
				})
			: [];
	}

	async #dial(
		dial: Dial,
		node: string,
		{ addresses, ticket, cert, verified }: PeerAddresses,
		signal: AbortSignal,
	): Promise<void> {
		const { link, topics, limits, onMessage } = this.#options;
		const { id } = link;
		const { keepalive } = limits;
		const onClosed = (lane: DirectLane): void => this.#closed(node, lane);
		try {
			const where = { node, addresses, cert, ticket };
			const lane = await dial({ id, ...where, topics, keepalive, onMessage, onClosed, signal });
			this.#opened(node, lane);
		} catch (error) {
			// The node cannot be reached directly, so messages to it go through the broker.
			this.#backoff.failed(node, verified > 0, performance.now());
			const wrong = wrongPeer(node, addresses, error);
			if (wrong !== undefined && !signal.aborted) {
				this.#options.warn(wrong);
			}
		} finally {
			this.#dialling.delete(node);
		}
	}

	/**
	 * Of two lanes that cross, the lane that the node with the lower id has dialled stays; the node
	 * that dialled the other lane closes it. A lane that opens more than `CROSSING` ms after an older
	 * one replaces it, because the peer has lost the older lane.
	 */
	#opened(node: string, lane: DirectLane): void {
		const { id } = this.#options.link;
		const now = performance.now();
		if (this.#isClosed) {
			lane.close();
			return;
		}
		const older = this.#direct.get(node);
		const haveCrossed = older !== undefined && now - older.openedAt < CROSSING;
		const lower = id < node ? id : node;
		if (haveCrossed && older.lane.dialledBy !== lane.dialledBy && lane.dialledBy !== lower) {
			if (lane.dialledBy === id) {
				this.#retire(lane);
			}
			return;
		}
		this.#direct.set(node, { lane, openedAt: now, isHeard: false });
		if (older !== undefined && (!haveCrossed || older.lane.dialledBy === id)) {
			this.#retire(older.lane);
		}
		this.#events.emit('changed', node, lane);
	}

	#retire(lane: DirectLane): void {
		this.#replaced.add(lane);
		later(() => lane.close(), LINGER);
	}

	/**
	 * A silent lane is being closed. If this node had dialled it, and no message ever arrived on it,
	 * another program or machine may have the address.
	 */
	#gaveUp(node: string, { lane, isHeard }: Opened): void {
		const now = performance.now();
		if (isHeard || lane.dialledBy === node) {
			this.#backoff.lost(node, now);
		} else {
			this.#backoff.mistaken(node, now);
			this.#options.warn(silentPeer(node));
		}
	}

	#closed(node: string, lane: DirectLane): void {
		this.#replaced.delete(lane);
		this.#events.emit('closed');
		if (this.#direct.get(node)?.lane === lane) {
			this.#direct.delete(node);
			if (!this.#isClosed) {
				this.#events.emit('changed', node, this.#broker);
			}
		}
	}
}

function laneOf(peer: Peer): DirectLane {
	return {
		kind: 'direct',
		dialledBy: peer.id,
		get isUp() {
			return peer.isUp;
		},
		get queued() {
			return peer.queued;
		},
		get received() {
			return peer.received;
		},
		send: (topic, payload, released) => peer.send(topic, payload, released),
		drained: () => peer.drained(),
		close: () => peer.close(),
	};
}
