import type { Attempt } from '../../../node/engine/attempt.ts';
import { CoDownloaders } from '../../../node/engine/co-downloaders.ts';
import type { Decision } from '../../../node/engine/decision.ts';
import { DownloadEngine } from '../../../node/engine/download-engine.ts';
import {
	type Bitfield,
	type ByteRange,
	DEFAULT_LIMITS,
	hashId,
	MAX_RANGE,
} from '../../../protocol/index.ts';
import { Link } from './link.ts';
import type { SimulatedNode } from './simulated-node.ts';
import { SimulatedPeers } from './simulated-peers.ts';
import { SimulatedUploads } from './simulated-uploads.ts';
import type { World } from './world.ts';

/** The links of a simulated node. */
export interface NodeLinks {
	/** Bytes per second. */
	readonly up: number;
	readonly down: number;
	/** The latency to the middle of the network, ms. */
	readonly latency: number;
}

const NEWS_EVERY = 500;
const NEWS_FIRST = 25;
/** Four times the real interval, because a tick is needed only to notice timeouts. */
const TICK = 200;
const VERIFY = 1;
/** The window options that {@link PeerLanes} sets for a node on a direct lane. */
const DIRECT = { mostPart: MAX_RANGE, isDirect: true, mostQueue: 500 };

/**
 * A node of a simulated swarm: a real engine, its own link, and a model of the code around the
 * engine.
 */
export class SwarmNode implements SimulatedNode {
	readonly index: number;
	readonly id: string;
	readonly idHash: number;
	readonly up: Link;
	readonly down: Link;
	readonly latency: number;
	readonly engine: DownloadEngine;
	readonly uploads: SimulatedUploads;
	readonly countedOnBy = new Set<SimulatedNode>();
	isGone = false;
	/** The time when the node was complete, ms. */
	completeAt: number | undefined;
	/** Received bytes that were not needed. */
	useless = 0;
	readonly #wrong = new Set<Attempt>();
	readonly #world: World;
	readonly #peers: SimulatedPeers;
	readonly #coDownloaders: CoDownloaders;
	#news: number[] = [];
	/** When the news is sent, ms. */
	#newsAt = Number.POSITIVE_INFINITY;
	#requests = 0n;

	constructor(index: number, links: NodeLinks, have: Bitfield, world: World) {
		const id = `node-${index}`;
		this.index = index;
		this.id = id;
		this.idHash = hashId(id);
		this.up = new Link(links.up);
		this.down = new Link(links.down);
		this.latency = links.latency;
		this.#world = world;
		this.uploads = new SimulatedUploads(this, world);
		this.#peers = new SimulatedPeers(this, world);
		this.#coDownloaders = new CoDownloaders(id);
		this.engine = new DownloadEngine({
			coDownloaders: this.#coDownloaders,
			layout: world.layout,
			have,
			order: 'rarest',
			mostPart: DEFAULT_LIMITS.part,
			mostOutstanding: DEFAULT_LIMITS.outstanding,
			mostStrikes: DEFAULT_LIMITS.badAnswers,
			mostRanges: DEFAULT_LIMITS.requestRanges,
			random: world.random,
			requestId: () => {
				this.#requests += 1n;
				return this.#requests;
			},
		});
		this.completeAt = this.isComplete ? 0 : undefined;
	}

	/** The time by the clock of this node, ms. */
	get #now(): number {
		return this.#world.clockOf(this);
	}

	get isComplete(): boolean {
		return this.engine.states.isComplete;
	}

	/** Begins to download. */
	start(): void {
		this.#world.announce(this);
		this.#peers.query();
		this.#tick();
	}

	/** Leaves the swarm without a message. */
	leave(): void {
		this.isGone = true;
		this.#world.withdraw(this);
		this.uploads.stop();
		this.#peers.clear();
		for (const node of this.countedOnBy) {
			node.onLeft(this);
		}
	}

	have(): number[] {
		return [...this.engine.states.have().indices()];
	}

	hasRange(first: number, last: number): boolean {
		for (let chunk = first; chunk <= last; chunk += 1) {
			if (this.engine.states.of(chunk) !== 'have') {
				return false;
			}
		}
		return true;
	}

	hears(node: SimulatedNode): boolean {
		return this.#world.topology.hasSharedTopics && this.#peers.hears(node);
	}

	meet(node: SimulatedNode): void {
		this.#peers.consider(node);
		if (!this.isGone) {
			this.countedOnBy.add(node);
		}
	}

	listed(downloaders: readonly SimulatedNode[]): void {
		const known = [...this.engine.nodes.values()].filter(({ have }) => !have.isFull);
		this.#coDownloaders.set(new Set([...downloaders, ...known].map(({ id }) => id)));
	}

	onHave(node: SimulatedNode, chunks: readonly number[]): void {
		if (node.countedOnBy.has(this) && !this.isGone && !this.isComplete) {
			this.engine.nodeHas(node.id, chunks);
			if (!this.#world.topology.hasSharedTopics) {
				this.engine.rebound(node.id, DIRECT);
			}
			if (node.isComplete) {
				this.#coDownloaders.delete(node.id);
			} else {
				this.#coDownloaders.add(node.id);
			}
			// If the node has open requests, the next requests are made when it answers.
			if (this.engine.nodes.get(node.id)?.outstanding === 0) {
				this.#decide();
			}
		}
	}

	onLeft(node: SimulatedNode): void {
		this.#peers.left(node);
	}

	onRequest(from: SimulatedNode, request: bigint, ranges: readonly ByteRange[]): void {
		const refusal = this.isGone ? undefined : this.uploads.ask(from, request, ranges);
		if (refusal !== undefined) {
			from.refusedBy(this, request, refusal);
		}
	}

	onCancel(from: SimulatedNode, request: bigint, ranges: readonly ByteRange[]): void {
		this.uploads.cancel(from, request, ranges);
	}

	refusedBy(node: SimulatedNode, request: bigint, reason: 'busy' | 'not-there'): void {
		this.#world.send(node, this, () => {
			this.engine.refused(node.id, request, reason === 'busy', this.#now);
			this.#decide();
		});
	}

	onBytes(from: SimulatedNode, request: bigint, offset: number, length: number): void {
		this.#peers.heard(from);
		const attempt = this.engine.received(from.id, request, offset, length, this.#now);
		if (attempt !== undefined && this.#world.isLie(from)) {
			this.#wrong.add(attempt);
		}
		this.useless += attempt === undefined ? length : 0;
		this.#take(attempt?.isWhole ? [attempt] : []);
	}

	onShared(from: SimulatedNode, offset: number, length: number): void {
		const overheard = this.engine.overheard(from.id, offset, length, this.#now);
		const attempts = overheard.map(({ attempt }) => attempt);
		for (const attempt of this.#world.isLie(from) ? attempts : []) {
			this.#wrong.add(attempt);
		}
		this.#peers.overheard(from, length, attempts.length > 0);
		this.useless += attempts.length === 0 ? length : 0;
		this.#take(attempts.filter(({ isWhole }) => isWhole));
	}

	forget(node: SimulatedNode): void {
		node.countedOnBy.delete(this);
		this.engine.removeNode(node.id);
	}

	#take(whole: readonly Attempt[]): void {
		for (const attempt of whole) {
			this.#world.time.after(VERIFY, () => this.#store(attempt));
		}
		this.#decide();
	}

	#store(attempt: Attempt): void {
		const { time, topology } = this.#world;
		const { node, firstChunk, chunks } = attempt;
		if (this.#wrong.delete(attempt)) {
			this.#reject(attempt);
			return;
		}
		for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk += 1) {
			this.engine.stored(chunk);
			this.#news.push(chunk);
			this.#world.onStored(this, chunk);
		}
		const isFirst = !topology.hasSharedTopics && this.engine.nodes.get(node)?.have.isFull === true;
		this.#sendNewsWithin(isFirst ? NEWS_FIRST : NEWS_EVERY);
		if (this.isComplete) {
			this.completeAt = time.now;
			this.#peers.clear();
			this.#world.announce(this);
		}
		this.#decide();
	}

	/** Reports all chunks of `attempt` as wrong. */
	#reject({ node, firstChunk, chunks, isOverheard }: Attempt): void {
		for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk += 1) {
			if (isOverheard) {
				this.engine.unheard(chunk);
			} else {
				this.engine.bad(chunk, node);
			}
		}
		this.#decide();
	}

	#sendNewsWithin(ms: number): void {
		const { time } = this.#world;
		const at = time.now + ms;
		if (at < this.#newsAt) {
			this.#newsAt = at;
			time.after(ms, () => this.#newsAt === at && this.#sendNews());
		}
	}

	#sendNews(): void {
		const news = this.#news;
		this.#newsAt = Number.POSITIVE_INFINITY;
		this.#news = [];
		// One event for all readers: there are many, and their latencies are similar.
		this.#world.time.after(2 * this.latency, () => {
			for (const reader of this.isGone ? [] : this.countedOnBy) {
				this.#world.whenItPasses(this, reader, () => reader.onHave(this, news));
			}
		});
	}

	#tick(): void {
		if (!this.isGone && !this.isComplete) {
			this.#decide();
			this.#world.time.after(TICK, () => this.#tick());
		}
	}

	#decide(): void {
		if (!this.isGone && !this.#world.isFrozen(this)) {
			for (const decision of this.engine.decide(this.#now)) {
				this.#act(decision);
			}
			this.#world.check(this.engine);
		}
	}

	#act(decision: Decision): void {
		if (decision.do !== 'request' && decision.do !== 'cancel') {
			return;
		}
		const { request, ranges } = decision;
		const node = this.#world.nodes.get(decision.node) as SimulatedNode;
		this.#world.send(this, node, () => {
			if (decision.do === 'request') {
				node.onRequest(this, request, ranges);
			} else {
				node.onCancel(this, request, ranges);
			}
		});
	}
}
