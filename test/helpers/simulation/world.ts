import { neighboursOf } from '../../../broker/tracker/neighbours.ts';
import type { DownloadEngine } from '../../../node/engine/download-engine.ts';
import { DEFAULT_LIMITS, type Layout } from '../../../protocol/index.ts';
import { type Faults, frozenUntil, passesFrom } from './faults.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { Timeline } from './timeline.ts';
import type { Topology } from './topology.ts';

/** Options of a {@link World}. */
export interface WorldOptions {
	readonly time: Timeline;
	readonly layout: Layout;
	readonly topology: Topology;
	/** 0 to 1. */
	readonly random: () => number;
	/** The fraction of chunk messages that are lost, 0 to 1. */
	readonly loss: number;
	/** Called after each decision of an engine. */
	readonly check: (engine: DownloadEngine) => void;
	readonly faults: Faults;
}

const { queryAll, querySample } = DEFAULT_LIMITS;

/** The environment of simulated nodes: time, random numbers, links and the tracker. */
export class World {
	readonly time: Timeline;
	readonly layout: Layout;
	readonly topology: Topology;
	readonly random: () => number;
	readonly check: (engine: DownloadEngine) => void;
	/** Called when `node` has stored `chunk`. */
	onStored = (_node: SimulatedNode, _chunk: number): void => {};
	readonly #faults: Faults;
	readonly #loss: number;
	readonly #nodes = new Map<string, SimulatedNode>();
	readonly #seeders: SimulatedNode[] = [];
	readonly #downloaders: SimulatedNode[] = [];

	constructor(options: WorldOptions) {
		this.time = options.time;
		this.layout = options.layout;
		this.topology = options.topology;
		this.random = options.random;
		this.check = options.check;
		this.#faults = options.faults;
		this.#loss = options.loss;
	}

	/** All nodes, also those that have left. */
	get nodes(): ReadonlyMap<string, SimulatedNode> {
		return this.#nodes;
	}

	/** Lists `node` in the tracker as a seeder or a downloader. */
	announce(node: SimulatedNode): void {
		this.withdraw(node);
		this.#nodes.set(node.id, node);
		(node.isComplete ? this.#seeders : this.#downloaders).push(node);
	}

	/** Removes `node` from the list of the tracker at once. */
	withdraw(node: SimulatedNode): void {
		for (const list of [this.#seeders, this.#downloaders]) {
			const index = list.indexOf(node);
			if (index >= 0) {
				list.splice(index, 1);
			}
		}
	}

	/**
	 * Returns the answer of the tracker: neighbours, then other downloaders, then the rest of the
	 * nodes, all (`isAll`) or a sample. Half of a sample are seeders if there are enough.
	 */
	sample(asker: SimulatedNode): { listed: Set<SimulatedNode>; isAll: boolean } {
		const all = [...this.#downloaders, ...this.#seeders];
		const isAll = all.length <= queryAll;
		const most = isAll ? queryAll : querySample;
		const drawn = new Set<SimulatedNode>();
		this.#draw(this.#seeders, most / 2, drawn);
		this.#draw(all, most, drawn);
		const lacking = [...drawn].filter(({ isComplete }) => !isComplete);
		const members = { complete: this.#seeders, lacking: this.#downloaders };
		const near = neighboursOf(asker.id, members, isAll, (node) => node);
		const chosen = new Set([...near, ...lacking, ...drawn]);
		chosen.delete(asker);
		return { listed: chosen, isAll };
	}

	/** The latency from one node to another, ms. */
	latency(from: SimulatedNode, to: SimulatedNode): number {
		return from.latency + to.latency;
	}

	/** The time by the clock of `node`, ms, which can be wrong. */
	clockOf({ index }: SimulatedNode): number {
		return this.time.now + (this.#faults.clocks?.get(index) ?? 0);
	}

	isFrozen({ index }: SimulatedNode): boolean {
		return frozenUntil(this.#faults, index, this.time.now) > this.time.now;
	}

	/** Decides at random whether the next part of `node` is wrong. */
	isLie({ index }: SimulatedNode): boolean {
		const lies = this.#faults.lies?.get(index);
		return lies !== undefined && this.random() < lies;
	}

	/**
	 * Delivers a control message. If a fault blocks it, it arrives after the fault, because TCP
	 * keeps it.
	 */
	send(from: SimulatedNode, to: SimulatedNode, arrive: () => void): void {
		this.time.after(this.latency(from, to), () => this.whenItPasses(from, to, arrive));
	}

	/** Delivers a control message whose latency has already passed. */
	whenItPasses(from: SimulatedNode, to: SimulatedNode, arrive: () => void): void {
		const { time } = this;
		const at = passesFrom(this.#faults, from.index, to.index, time.now);
		at > time.now ? time.at(at, arrive) : arrive();
	}

	/**
	 * Carries a chunk message that has passed the up link of `from`, unless it is lost or a fault
	 * blocks it.
	 */
	carry(from: SimulatedNode, to: SimulatedNode, bytes: number, arrive: () => void): void {
		const isInTheWay =
			passesFrom(this.#faults, from.index, to.index, this.time.now) > this.time.now;
		if (this.random() >= this.#loss && !isInTheWay) {
			const at = this.topology.carry(bytes, to.down, this.time.now);
			if (at !== undefined) {
				this.time.at(at + this.latency(from, to), () => !to.isGone && arrive());
			}
		}
	}

	#draw(from: readonly SimulatedNode[], most: number, chosen: Set<SimulatedNode>): void {
		const left = [...from];
		while (chosen.size < most && left.length > 0) {
			const index = Math.floor(this.random() * left.length);
			chosen.add(left[index] as SimulatedNode);
			left[index] = left.at(-1) as SimulatedNode;
			left.pop();
		}
	}
}
