import { createHash } from 'node:crypto';
import {
	type Announce,
	DEFAULT_LIMITS,
	decodeReply,
	decodeTrackerState,
	encodeJson,
	formatRequestId,
	makeNodeId,
	makeRequestId,
	makeSession,
	type NodeState,
	Topics,
} from '../../../protocol/index.ts';
import { LATENCY, type VirtualBroker } from './virtual-broker.ts';

const topics = new Topics();
const { ttl, renewal } = DEFAULT_LIMITS;
/** As in a real node: announces that wait for the broker at a time, and ms to wait for a reply. */
const BATCH = 32;
const REPLY_TIMEOUT = 5_000;
/** As in a real node: ms after which the node sends a request again, and searches for a tracker. */
const ASK_AGAIN = [1_500, 3_000];
const CHUNKS = 6;

/** A node of the simulation. */
export interface FleetNode {
	readonly id: string;
	readonly index: number;
	session: string;
	/** Numbers of its seeds. */
	readonly seeds: Set<number>;
	/** Whether it is connected, and sends messages. */
	isUp: boolean;
	/** Digest of the ids of its seeds; undefined if they have changed. */
	digest: string | undefined;
	/** The number of its life; what an earlier life has planned is not done. */
	life: number;
	/** Request id of the open `update`; undefined: none is open. */
	updating: string | undefined;
	/** The number of the planned update; one of an earlier number is not sent. */
	plan: number;
	/** Whether another `update` is to follow the open one. */
	isUpdateDue: boolean;
}

/** A message: topic and payload. */
export type MessageOf = readonly [topic: string, payload: Uint8Array];

/** An open request. */
interface Request {
	readonly id: string;
	readonly node: FleetNode;
	readonly op: string;
	/** When it was sent, virtual ms. */
	readonly at: number;
}

/**
 * Nodes in virtual time, which send the messages that real nodes send. Of the seeds of a node, one
 * is held by all nodes, a tenth of the others by a hundred nodes each, and the rest by ten nodes
 * each. A tenth of the nodes lack chunks.
 */
export class Fleet {
	readonly nodes: readonly FleetNode[];
	/** Virtual ms from a query to its reply, of all queries since this was emptied. */
	readonly waits: number[] = [];
	/** Requests that were not answered within five seconds. */
	unanswered = 0;
	readonly #broker: VirtualBroker;
	readonly #random: () => number;
	readonly #seedIds = new Map<number, string>();
	readonly #open = new Map<string, Request>();
	#trackerSession = '';
	#newSeeds = 1e9;
	#seq = 0;

	constructor(count: number, perNode: number, broker: VirtualBroker, random: () => number) {
		this.#broker = broker;
		this.#random = random;
		this.nodes = Array.from({ length: count }, (_, index) => ({
			id: makeNodeId(),
			index,
			session: '',
			seeds: new Set(seedsOf(index, perNode)),
			isUp: false,
			digest: undefined,
			life: 0,
			updating: undefined,
			isUpdateDue: false,
			plan: 0,
		}));
	}

	/** The announces of the nodes that are connected. */
	get announces(): number {
		return this.nodes.reduce((sum, { isUp, seeds }) => sum + (isUp ? seeds.size : 0), 0);
	}

	/** The id of a seed. */
	seedId(seed: number): string {
		let id = this.#seedIds.get(seed);
		if (id === undefined) {
			id = createHash('sha256').update(`seed ${seed}`).digest('hex');
			this.#seedIds.set(seed, id);
		}
		return id;
	}

	/** The node connects: it sends its state and all announces, and from then on updates. */
	join(node: FleetNode): void {
		node.life += 1;
		node.isUp = true;
		node.updating = undefined;
		node.isUpdateDue = false;
		node.session = makeSession();
		this.#announceAll(node);
		this.#renewLater(node);
	}

	/** The node falls silent; the broker does not notice. */
	die(node: FleetNode): void {
		node.isUp = false;
		node.life += 1;
		node.updating = undefined;
		node.isUpdateDue = false;
	}

	/** The connection of the node breaks: the broker publishes its will. */
	lose(node: FleetNode): void {
		this.die(node);
		this.#state(node, 'lost');
	}

	/** The node withdraws its announces and disconnects. */
	leave(node: FleetNode): void {
		for (const seed of node.seeds) {
			this.#broker.send(topics.announce(this.seedId(seed), node.id), new Uint8Array());
		}
		this.#state(node, 'disconnected');
		this.die(node);
	}

	/** The node withdraws one of its seeds and announces a new one. */
	exchange(node: FleetNode): void {
		const [seed] = [...node.seeds].slice(-1);
		if (seed !== undefined) {
			node.seeds.delete(seed);
			this.#broker.send(topics.announce(this.seedId(seed), node.id), new Uint8Array());
		}
		this.#newSeeds += 1;
		node.seeds.add(this.#newSeeds);
		node.digest = undefined;
		this.#announce(node, this.#newSeeds);
	}

	/** The node asks who has one of its seeds. */
	query(node: FleetNode, seed: number): void {
		this.#ask(node, 'query', { seed: this.seedId(seed) });
	}

	/** A query for a seed, as a node sends it. */
	queryOf(node: FleetNode, seed: number): MessageOf {
		return requestOf(node, { op: 'query', seed: this.seedId(seed) });
	}

	/** An update, as a node sends it. */
	updateOf(node: FleetNode): MessageOf {
		node.digest ??= this.#digestOf(node);
		const { session, digest, seeds } = node;
		return requestOf(node, { op: 'update', session, count: seeds.size, digest });
	}

	/** Handles a message of the tracker, which it publishes in `cpu` ms. */
	receive(topic: string, payload: Buffer, cpu: number): void {
		const parsed = topics.tryParse(topic);
		const at = this.#broker.time.now + cpu + 2 * LATENCY;
		if (parsed?.kind === 'tracker-state' && payload.length > 0) {
			this.#meet(decodeTrackerState(payload).session, at);
		} else if (parsed?.kind === 'reply') {
			const reply = decodeReply(payload);
			const request = 'id' in reply ? this.#open.get(reply.id) : undefined;
			if (request !== undefined && 'id' in reply) {
				this.#open.delete(reply.id);
				const isAgain = reply.op === 'update' && reply.status === 'again';
				this.#broker.time.at(at, () => this.#answered(request, isAgain));
			}
		}
	}

	#answered(request: Request, isAgain: boolean): void {
		const { id, node, op, at } = request;
		const took = this.#broker.time.now - at;
		if (op === 'query') {
			this.waits.push(took);
		}
		if (took > REPLY_TIMEOUT) {
			this.unanswered += 1;
		} else if (node.updating === id) {
			if (isAgain) {
				this.#announceAll(node);
				this.#renewLater(node);
			}
			this.#updated(node);
		}
	}

	/** The open update is over: the next one follows, if one is due. */
	#updated(node: FleetNode): void {
		node.updating = undefined;
		if (node.isUpdateDue) {
			node.isUpdateDue = false;
			this.#update(node);
		}
	}

	/** A tracker with a new session is ready: each node sends an update within a second. */
	#meet(session: string, at: number): void {
		if (session === this.#trackerSession) {
			return;
		}
		this.#trackerSession = session;
		for (const node of this.nodes) {
			const { life } = node;
			this.#broker.time.at(at + this.#random() * 1_000, () => {
				if (node.life === life && node.isUp) {
					this.#renewLater(node);
					this.#update(node);
				}
			});
		}
	}

	/** Plans the next update, in place of one that was planned before. */
	#renewLater(node: FleetNode): void {
		const { life } = node;
		node.plan += 1;
		const { plan } = node;
		this.#broker.time.after(renewal * (0.8 + this.#random() * 0.4), () => {
			if (node.life === life && node.plan === plan) {
				this.#update(node);
				this.#renewLater(node);
			}
		});
	}

	/** Sends an update, or does so when the open one is answered or has timed out. */
	#update(node: FleetNode): void {
		if (node.updating !== undefined) {
			node.isUpdateDue = true;
			return;
		}
		node.digest ??= this.#digestOf(node);
		const { session, digest } = node;
		const id = this.#ask(node, 'update', { session, count: node.seeds.size, digest });
		node.updating = id;
		this.#broker.time.after(REPLY_TIMEOUT, () => {
			if (node.updating === id) {
				this.#updated(node);
			}
		});
	}

	#digestOf(node: FleetNode): string {
		const ids = [...node.seeds].map((seed) => `${this.seedId(seed)}\n`).sort();
		return createHash('sha256').update(ids.join('')).digest('hex');
	}

	/** @returns the request id */
	#ask(node: FleetNode, op: 'query' | 'update', about: object): string {
		const id = formatRequestId(makeRequestId());
		const [topic, payload] = requestOf(node, { ...about, op }, id);
		const { life } = node;
		this.#open.set(id, { id, node, op, at: this.#broker.time.now });
		this.#broker.send(topic, payload);
		for (const ms of ASK_AGAIN) {
			this.#broker.time.after(ms, () => {
				if (this.#open.has(id) && node.life === life) {
					this.#broker.send(...requestOf(node, { op: 'state' }));
					this.#broker.send(topic, payload);
				}
			});
		}
		return id;
	}

	/** Sends the state and all announces, each batch when the broker has confirmed the last one. */
	#announceAll(node: FleetNode): void {
		this.#state(node, 'ready');
		const seeds = [...node.seeds];
		const { life } = node;
		const batch = (from: number): void => {
			if (node.life === life && from < seeds.length) {
				for (const seed of seeds.slice(from, from + BATCH)) {
					this.#announce(node, seed);
				}
				this.#broker.time.after(2 * LATENCY, () => batch(from + BATCH));
			}
		};
		this.#broker.time.after(2 * LATENCY, () => batch(0));
	}

	#state(node: FleetNode, state: NodeState['state']): void {
		const addresses = [`mqtt://10.${node.index >> 8}.${node.index & 255}.7:40000`];
		const { session } = node;
		const seq = this.#nextSeq();
		const message: NodeState = { state, session, seq, addresses, up: 0, down: 0 };
		this.#broker.send(topics.nodeState(node.id), encodeJson(message));
	}

	/** A number for a message, greater than that of all earlier ones of all nodes. */
	#nextSeq(): number {
		this.#seq += 1;
		return this.#seq;
	}

	#announce(node: FleetNode, seed: number): void {
		if (!node.seeds.has(seed)) {
			return;
		}
		const count = node.index % 10 === 9 ? CHUNKS - 1 : CHUNKS;
		const message: Announce = {
			name: `release-${seed}-amd64.tar.gz`,
			length: CHUNKS * 256 * 1_024,
			chunks: CHUNKS,
			have: { count, map: (count === CHUNKS ? 'f' : 'c').repeat(64) },
			ttl,
			session: node.session,
			seq: this.#nextSeq(),
			since: 1_764_000_000_000,
		};
		this.#broker.send(topics.announce(this.seedId(seed), node.id), encodeJson(message));
	}
}

function requestOf(
	node: FleetNode,
	about: object,
	id: string = formatRequestId(makeRequestId()),
): MessageOf {
	return [topics.trackerRequest(node.id), encodeJson({ id, ...about })];
}

/** Numbers of the seeds of the node `index`: seed 0, then those of its hundred, then of its ten. */
export function seedsOf(index: number, perNode: number): number[] {
	const shared = Math.floor((perNode - 1) / 10);
	return Array.from({ length: perNode }, (_, slot) => {
		if (slot === 0) {
			return 0;
		}
		const group = slot <= shared ? Math.floor(index / 100) : 1_000_000 + Math.floor(index / 10);
		return 1 + group * perNode + slot;
	});
}
