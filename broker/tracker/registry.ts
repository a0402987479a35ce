import type {
	Announce,
	Limits,
	NodeListing,
	NodeState,
	Report,
	SeedListing,
	TrackerReply,
} from '../../protocol/index.ts';
import {
	complaint,
	type Decision,
	forgetAnnounce,
	forgetState,
	nodeEvent,
	progress,
	type RefusedAnnounce,
} from './decisions.ts';
import { FirstAskers } from './first-askers.ts';
import { type AnnounceRecord, hasLayout, KnownNode, nameOf, recordOf } from './known-node.ts';
import { pageOfSeeds, sampleNodes, visibleSwarm } from './listing.ts';
import { Swarms } from './swarms.ts';

/** Decisions after which a step of a sweep ends. */
const SLICE = 500;

/** Options of {@link Registry}. */
export interface RegistryOptions {
	/** The limits to enforce. */
	readonly limits: Limits;
	/** Monotonic time in ms. */
	readonly now: () => number;
	/** Random number from 0 to 1. */
	readonly random: () => number;
}

/** The reply to a query, without the parts that the registry does not know. */
export type QueryResult = Pick<
	Extract<TrackerReply, { op: 'query' }>,
	'seeders' | 'downloaders' | 'awaited'
> & { readonly nodes: NodeListing[] };

/**
 * Swarms, nodes and announces: all that a tracker knows. The registry is pure: it takes messages
 * and returns decisions; time and random numbers are injected. Invariant: an announce is recorded
 * both at its node and in its swarm, or in neither.
 *
 * An announce that the tracker has found retained is *unconfirmed* until its node repeats or renews
 * it. Unconfirmed announces are listed after all others, and dropped if they are not confirmed
 * within one ttl.
 */
export class Registry {
	readonly #limits: Limits;
	readonly #now: () => number;
	readonly #random: () => number;
	readonly #nodes = new Map<string, KnownNode>();
	readonly #swarms = new Swarms();
	readonly #firstAskers = new FirstAskers();
	/**
	 * The number of the connection to the broker. An announce that was confirmed on an earlier
	 * connection is unconfirmed.
	 */
	#epoch = 1;
	#epochStart: number;

	/** An empty registry. */
	constructor({ limits, now, random }: RegistryOptions) {
		this.#limits = limits;
		this.#now = now;
		this.#random = random;
		this.#epochStart = now();
	}

	/** Numbers of nodes, seeds and announces. */
	get size(): { nodes: number; seeds: number; announces: number } {
		return {
			nodes: this.#nodes.size,
			seeds: this.#swarms.size,
			announces: this.#swarms.announces,
		};
	}

	/** The connection to the broker was lost: from now on all nodes are unconfirmed. */
	disconnected(): void {
		this.#epoch += 1;
		this.#epochStart = this.#now();
	}

	/** The tracker is connected again: nodes have one ttl from now on to confirm their announces. */
	connected(): void {
		this.#epochStart = this.#now();
	}

	/**
	 * Handles a node's state. These are ignored: a state of a session that was replaced; a state that
	 * is not newer than the last one of its session; and a retained state, if a live message of
	 * another session has arrived on this connection.
	 */
	nodeState(id: string, message: NodeState, isRetained: boolean): Decision[] {
		const known = this.#nodes.get(id);
		const isElder = known?.epoch === this.#epoch && known.session !== message.session;
		if ((isRetained && isElder) || known?.isLate(message.session)) {
			known?.overwritten();
			return [];
		}
		if (message.state === 'ready') {
			const wasLost = known?.state === 'lost' && known.session === message.session;
			if (wasLost || (known?.state === 'ready' && isRepeated(message, known))) {
				known.repeated(message.seq, known.seq);
				return [];
			}
			return this.#ready(id, message, isRetained);
		}
		if (known !== undefined && known.session !== '' && known.session !== message.session) {
			known.overwritten();
			return [];
		}
		return message.state === 'lost'
			? this.#lost(id, message.session, isRetained)
			: this.#left(id, known);
	}

	/** Handles the announce of a node that has all or a part of a seed. */
	announce(seed: string, id: string, message: Announce, isRetained: boolean): Decision[] {
		const node = this.#nodes.get(id) ?? this.#addNode(id);
		const before = node?.announces.get(seed);
		if (node?.isLate(message.session)) {
			node.overwritten(seed);
			return [];
		}
		if (isRetained && before?.epoch === this.#epoch) {
			return [];
		}
		if (before !== undefined && !isRetained && isRepeated(message, before)) {
			before.node.repeated(message.seq, before.seq, seed);
			return [];
		}
		const why = this.#whyRefused(node, message, before, isRetained);
		if (node === undefined || why !== undefined) {
			return this.#refuse(seed, id, node, why ?? 'nodes');
		}
		const decisions = isRetained ? [] : this.#alive(node, message.session);
		const isKnown = this.#swarms.has(seed);
		const isReplay = isRetained && before?.session === message.session;
		this.#hold(
			recordOf(
				seed,
				node,
				message,
				{
					received: isReplay ? before.received : this.#now(),
					epoch: isRetained ? 0 : this.#epoch,
					ttl: Math.min(message.ttl, this.#limits.ttl),
				},
				this.#swarms.first(seed),
			),
		);
		return isRetained ? decisions : [...decisions, ...progress(id, seed, message, before, isKnown)];
	}

	/** Handles the withdrawal of an announce by its node. */
	withdraw(seed: string, id: string): Decision[] {
		const record = this.#nodes.get(id)?.announces.get(seed);
		return record === undefined ? [] : this.#drop(record);
	}

	/**
	 * Handles the periodic update of a node. If the session is the current one of the node, and count
	 * and digest match its announces, all announces of the node are renewed.
	 */
	update(
		id: string,
		{ session, count, digest }: { session: string; count: number; digest: string },
	): { status: 'ok' | 'again'; refused: string[] } {
		const node = this.#nodes.get(id);
		if (node === undefined || node.state === 'lost') {
			return { status: 'again', refused: [] };
		}
		if (!node.isLate(session)) {
			node.heard = this.#now();
		}
		const isCurrent = node.state === 'ready' && node.session === session && node.isRetained;
		const isMatch = isCurrent && node.matches(count, digest);
		if (isMatch) {
			node.epoch = this.#epoch;
			node.renew(this.#now(), this.#epoch);
		}
		return { status: isMatch ? 'ok' : 'again', refused: node.takeRefused() };
	}

	/**
	 * Handles a report of the node `by` about another node of the same seed. It changes nothing in
	 * the registry.
	 */
	report(by: string, report: Report): Decision[] {
		const isHeard = this.#nodes.get(by)?.mayReport(report.seed, this.#now()) ?? false;
		return [isHeard ? complaint(by, report) : { ...report, do: 'refuse', why: 'report' }];
	}

	/** A page of the seeds that some node has, in the order of their ids, after the id `after`. */
	seeds(after?: string): { seeds: SeedListing[]; next?: string } {
		return pageOfSeeds(this.#swarms, after, this.#limits.listPage);
	}

	/**
	 * The nodes that have a seed: how many, and all of them or a sample, with their addresses. The nodes
	 * that `asker` should use come first. `awaited` as in the reply of the tracker.
	 */
	query(seed: string, asker?: string): QueryResult {
		const swarm = visibleSwarm(this.#swarms.records(seed), this.#epoch);
		const { confirmed, unconfirmed } = swarm;
		const seeders = confirmed.complete.length + unconfirmed.complete.length;
		const downloaders = confirmed.lacking.length + unconfirmed.lacking.length;
		const isAlone = seeders === 1 && downloaders === 0 && asker !== undefined;
		const isAwaited = isAlone && this.#firstAskers.isOther(seed, asker, this.#now());
		return {
			...{ seeders, downloaders },
			...(isAwaited && { awaited: true }),
			nodes: sampleNodes(swarm, asker, this.#limits, this.#random),
		};
	}

	/** Drops announces and nodes that have expired; to be called about once a second. */
	sweep(): Decision[] {
		return [...this.sweepInSlices()].flat();
	}

	/**
	 * Drops announces and nodes that have expired, as {@link sweep} does, in steps of a few ms each.
	 * Messages may be handled between the steps.
	 */
	*sweepInSlices(): Generator<Decision[]> {
		let decisions: Decision[] = [];
		for (const node of this.#nodes.values()) {
			decisions.push(...this.#sweepNode(node));
			if (decisions.length >= SLICE) {
				yield decisions;
				decisions = [];
			}
		}
		yield decisions;
	}

	#sweepNode(node: KnownNode): Decision[] {
		const now = this.#now();
		if (this.#isOver(node, now)) {
			return this.#remove(node, 'node-lost');
		}
		if (node.state === 'lost') {
			return [];
		}
		return node
			.expired(now)
			.flatMap((record) => [forgetAnnounce(record.seed, node.id), ...this.#drop(record)]);
	}

	/**
	 * Whether a node is to be removed: it has been lost for one ttl, or it has sent no live message
	 * for one ttl since the tracker connected. The will of a node is no more than a hint: it never
	 * comes if the node's broker died with the node.
	 */
	#isOver(node: KnownNode, now: number): boolean {
		const since = node.state === 'lost' ? node.heard : Math.max(node.heard, this.#epochStart);
		return now >= since + this.#limits.ttl;
	}

	#ready(id: string, message: NodeState, isRetained: boolean): Decision[] {
		const node = this.#nodes.get(id) ?? this.#addNode(id);
		if (node === undefined) {
			return [forgetState(id)];
		}
		const isKnown = node.session === message.session && node.hasState;
		const isNew = !isKnown || node.state !== 'ready';
		const decisions = isRetained ? [] : this.#alive(node, message.session);
		if (isNew && !isRetained) {
			decisions.push({ do: 'notify', node: id });
		}
		node.state = 'ready';
		node.beginSession(message.session);
		node.hasState = true;
		node.seq = message.seq;
		node.name = message.name;
		node.addresses = message.addresses;
		node.cert = message.cert;
		return decisions;
	}

	#lost(id: string, session: string, isRetained: boolean): Decision[] {
		const node = this.#nodes.get(id) ?? this.#addNode(id);
		if (node === undefined) {
			return [forgetState(id)];
		}
		if (node.state === 'lost') {
			return [];
		}
		const wasReady = node.state === 'ready';
		node.state = 'lost';
		node.session = session;
		node.heard = this.#now();
		return wasReady && !isRetained ? [nodeEvent('node-lost', id)] : [];
	}

	#left(id: string, node: KnownNode | undefined): Decision[] {
		return node === undefined ? [forgetState(id)] : this.#remove(node, 'node-left');
	}

	/**
	 * Records that a live message of `session` has arrived: from now on this is the node's current
	 * session. If the node was lost in that session, the message is late, and the node stays lost.
	 */
	#alive(node: KnownNode, session: string): Decision[] {
		node.epoch = this.#epoch;
		if (node.state === 'lost' && node.session === session) {
			return [];
		}
		const isNew = node.state !== 'ready';
		node.heard = this.#now();
		node.state = 'ready';
		node.beginSession(session);
		return isNew ? [nodeEvent('node-joined', node.id)] : [];
	}

	#whyRefused(
		node: KnownNode | undefined,
		message: Announce,
		before: AnnounceRecord | undefined,
		isRetained: boolean,
	): RefusedAnnounce | undefined {
		if (!hasLayout(message)) {
			return 'layout';
		}
		if (node === undefined || before !== undefined) {
			return undefined;
		}
		if (node.announces.size >= this.#limits.nodeAnnounces) {
			return 'node-announces';
		}
		if (this.#swarms.announces >= this.#limits.announces) {
			return 'announces';
		}
		return isRetained || node.mayAnnounce(this.#now()) ? undefined : 'announce-rate';
	}

	#refuse(seed: string, id: string, node: KnownNode | undefined, why: RefusedAnnounce): Decision[] {
		const decisions = this.withdraw(seed, id);
		node?.refuse(seed);
		return [{ do: 'refuse', node: id, seed, why }, forgetAnnounce(seed, id), ...decisions];
	}

	/** A new node; undefined if there are already as many nodes as the limit `announces` allows. */
	#addNode(id: string): KnownNode | undefined {
		if (this.#nodes.size >= this.#limits.announces) {
			return undefined;
		}
		const node = new KnownNode(id, this.#limits, this.#now());
		this.#nodes.set(id, node);
		return node;
	}

	#hold(record: AnnounceRecord): void {
		this.#swarms.add(record);
		record.node.hold(record);
	}

	#drop(record: AnnounceRecord): Decision[] {
		const { seed, node, length } = record;
		node.release(seed);
		this.#swarms.delete(record);
		return this.#swarms.has(seed)
			? []
			: [{ do: 'event', event: { event: 'seed-gone', seed, name: nameOf(record), length } }];
	}

	#remove(node: KnownNode, event: 'node-left' | 'node-lost'): Decision[] {
		const { id } = node;
		const decisions: Decision[] = node.state === 'ready' ? [nodeEvent(event, id)] : [];
		for (const record of node.announces.values()) {
			decisions.push(forgetAnnounce(record.seed, id), ...this.#drop(record));
		}
		this.#nodes.delete(id);
		return [...decisions, forgetState(id)];
	}
}

/** Whether `message` is not newer than `last`, which is of the same topic. */
function isRepeated(
	{ session, seq }: Pick<NodeState, 'session' | 'seq'>,
	last: Pick<NodeState, 'session' | 'seq'>,
): boolean {
	const areCounted = seq !== undefined && last.seq !== undefined && session === last.session;
	return areCounted && seq <= last.seq;
}
