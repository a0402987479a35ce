import type {
	Announce,
	Limits,
	NodeListing,
	NodeState,
	Report,
	SeedListing,
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
import { type AnnounceRecord, hasLayout, KnownNode, recordOf } from './known-node.ts';
import { isSeeder, pageOfSeeds, sampleNodes } from './listing.ts';
import { Swarms } from './swarms.ts';

/** Options of {@link Registry}. */
export interface RegistryOptions {
	readonly limits: Limits;
	/** Monotonic time in ms. */
	readonly now: () => number;
	/** 0 to 1. */
	readonly random: () => number;
}

/**
 * Swarms, nodes and announces: all that a tracker knows. Pure: messages in, decisions out, time and
 * chance injected. Invariant: an announce stands in its node and in its swarm, or in neither.
 *
 * What was found retained is *unconfirmed* until its node says it again: listed after the others,
 * and dropped one ttl later.
 */
export class Registry {
	readonly #limits: Limits;
	readonly #now: () => number;
	readonly #random: () => number;
	readonly #nodes = new Map<string, KnownNode>();
	readonly #swarms = new Swarms();
	/** Counts connections to the broker: what was confirmed before the last one is not any more. */
	#epoch = 1;
	#epochStart: number;

	constructor({ limits, now, random }: RegistryOptions) {
		this.#limits = limits;
		this.#now = now;
		this.#random = random;
		this.#epochStart = now();
	}

	/** How much is held. */
	get size(): { nodes: number; seeds: number; announces: number } {
		return {
			nodes: this.#nodes.size,
			seeds: this.#swarms.size,
			announces: this.#swarms.announces,
		};
	}

	/** The connection to the broker was lost: nobody is confirmed any more. */
	disconnected(): void {
		this.#epoch += 1;
		this.#epochStart = this.#now();
	}

	/** There is a connection again: from now on nodes have one ttl to confirm what they had said. */
	connected(): void {
		this.#epochStart = this.#now();
	}

	/** A node's state. A `lost` or `disconnected` of a session that has been replaced is ignored. */
	nodeState(id: string, message: NodeState, isRetained: boolean): Decision[] {
		const known = this.#nodes.get(id);
		const isElder = known?.epoch === this.#epoch && known.session !== message.session;
		if (isRetained && isElder) {
			return [];
		}
		if (message.state === 'ready') {
			return this.#ready(id, message, isRetained);
		}
		if (known !== undefined && known.session !== '' && known.session !== message.session) {
			return [];
		}
		return message.state === 'lost'
			? this.#lost(id, message.session, isRetained)
			: this.#left(id, known);
	}

	/** A node has (part of) a seed. */
	announce(seed: string, id: string, message: Announce, isRetained: boolean): Decision[] {
		const node = this.#nodes.get(id) ?? this.#addNode(id);
		const before = node?.announces.get(seed);
		if (isRetained && before?.epoch === this.#epoch) {
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
			recordOf(seed, node, message, {
				received: isReplay ? before.received : this.#now(),
				epoch: isRetained ? 0 : this.#epoch,
				ttl: Math.min(message.ttl, this.#limits.ttl),
			}),
		);
		return isRetained ? decisions : [...decisions, ...progress(id, seed, message, before, isKnown)];
	}

	/** A node has taken its announce back. */
	withdraw(seed: string, id: string): Decision[] {
		const record = this.#nodes.get(id)?.announces.get(seed);
		return record === undefined ? [] : this.#drop(record);
	}

	/** A node's periodic status. If it means what is held, everything is renewed at once. */
	update(
		id: string,
		{ session, count, digest }: { session: string; count: number; digest: string },
	): { status: 'ok' | 'again'; refused: string[] } {
		const node = this.#nodes.get(id);
		if (node === undefined || node.state === 'lost') {
			return { status: 'again', refused: [] };
		}
		node.heard = this.#now();
		const isMatch =
			node.state === 'ready' && node.session === session && node.matches(count, digest);
		if (isMatch) {
			node.epoch = this.#epoch;
			node.renew(this.#now(), this.#epoch);
		}
		return { status: isMatch ? 'ok' : 'again', refused: node.takeRefused() };
	}

	/** What the node `by` says of another one of the same seed. It changes nothing here. */
	report(by: string, report: Report): Decision[] {
		const isHeard = this.#nodes.get(by)?.mayReport(report.seed, this.#now()) ?? false;
		return [isHeard ? complaint(by, report) : { ...report, do: 'refuse', why: 'report' }];
	}

	/** A page of the seeds that somebody shows, in the order of their ids. */
	seeds(after?: string): { seeds: SeedListing[]; next?: string } {
		return pageOfSeeds(this.#swarms, after, this.#limits.listPage);
	}

	/** Who shows a seed: how many, and a sample with their addresses, first those `asker` should go to. */
	query(
		seed: string,
		asker?: string,
	): { seeders: number; downloaders: number; nodes: NodeListing[] } {
		const records = [...this.#swarms.records(seed)];
		const shown = records.filter((record) => record.node.shows(record));
		const seeders = shown.filter(isSeeder).length;
		return {
			seeders,
			downloaders: shown.length - seeders,
			nodes: sampleNodes(shown, asker, this.#limits.querySample, this.#epoch, this.#random),
		};
	}

	/** Drops what has outlived its time; to be called about once a second. */
	sweep(): Decision[] {
		const now = this.#now();
		const decisions: Decision[] = [];
		for (const node of this.#nodes.values()) {
			if (this.#isOver(node, now)) {
				decisions.push(...this.#remove(node, 'node-lost'));
			} else if (node.state !== 'lost') {
				for (const record of node.expired(now)) {
					decisions.push(forgetAnnounce(record.seed, node.id), ...this.#drop(record));
				}
			}
		}
		return decisions;
	}

	/** Whether a node is to be forgotten: lost, or never heard live on this connection, for one ttl. */
	#isOver(node: KnownNode, now: number): boolean {
		if (node.state === 'lost') {
			return now >= node.heard + this.#limits.ttl;
		}
		const since = Math.max(node.heard, this.#epochStart);
		return node.epoch !== this.#epoch && now >= since + this.#limits.ttl;
	}

	#ready(id: string, message: NodeState, isRetained: boolean): Decision[] {
		const node = this.#nodes.get(id) ?? this.#addNode(id);
		if (node === undefined) {
			return [forgetState(id)];
		}
		const decisions = isRetained ? [] : this.#alive(node, message.session);
		node.state = 'ready';
		node.session = message.session;
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

	/** A live message of `session` came: it is the node's current one from now on. */
	#alive(node: KnownNode, session: string): Decision[] {
		node.epoch = this.#epoch;
		if (node.state === 'lost' && node.session === session) {
			return [];
		}
		const isNew = node.state !== 'ready';
		node.heard = this.#now();
		node.state = 'ready';
		node.session = session;
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

	/** A new node, or undefined if there are as many as announces may be. */
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
		const { seed, node, name, length } = record;
		node.release(seed);
		this.#swarms.delete(record);
		return this.#swarms.has(seed)
			? []
			: [{ do: 'event', event: { event: 'seed-gone', seed, name, length } }];
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
