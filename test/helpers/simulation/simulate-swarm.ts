import type { DownloadEngine } from '../../../node/engine/download-engine.ts';
import { Bitfield, Layout } from '../../../protocol/index.ts';
import { seededRandom } from '../harness/random.ts';
import type { Shape } from './bound.ts';
import { Census } from './census.ts';
import type { Faults } from './faults.ts';
import { SwarmNode } from './swarm-node.ts';
import { Timeline } from './timeline.ts';
import { Mesh, type Topology } from './topology.ts';
import { World } from './world.ts';

/** Options of {@link simulateSwarm}. */
export interface SwarmOptions extends Shape {
	/** @default mesh */
	readonly topology?: Topology;
	readonly seed?: number;
	/** The downloaders join within this time, ms. @default 1,000 */
	readonly joining?: number;
	/** Returns the time when the downloader of this index leaves, ms; undefined if it stays. */
	readonly leavesAt?: (node: number) => number | undefined;
	/** Whether the seeder leaves as soon as every chunk is stored by some node that stays. */
	readonly isSeederLeaving?: boolean;
	/** Virtual ms after which the run ends. @default an hour */
	readonly deadline?: number;
	/** Faults. @default none */
	readonly faults?: Faults;
	/** Called after each decision of an engine. */
	readonly check?: (engine: DownloadEngine) => void;
}

/** The outcome of a simulated swarm. */
export interface SwarmOutcome {
	/** ms until all downloaders that stayed were complete; undefined if the deadline came first. */
	readonly ms: number | undefined;
	/** The time when each downloader was complete, ms. */
	readonly completeAt: ReadonlyArray<number | undefined>;
	/** Copies of the content that all nodes sent, divided by the number of downloaders. */
	readonly sent: number;
	/** Copies that the seeder sent in all, and until every chunk was stored by another node. */
	readonly seederSent: number;
	readonly seederSentAtWhole: number | undefined;
	/** The fraction of the sent bytes that were not needed. */
	readonly useless: number;
}

/**
 * Simulates a swarm of one seeder, the first node, and downloaders with real engines, in virtual
 * time.
 */
export function simulateSwarm(options: SwarmOptions): SwarmOutcome {
	const layout = new Layout(options.length, options.chunkSize);
	const time = new Timeline();
	const random = seededRandom(options.seed ?? 1);
	const { topology = new Mesh(), loss, check = () => {}, deadline = 3_600_000 } = options;
	const { faults = {} } = options;
	const world = new World({ time, layout, topology, random, loss, check, faults });
	const nodes = options.nodes.map((links, index) => {
		const have = index === 0 ? Bitfield.full(layout.chunks) : new Bitfield(layout.chunks);
		return new SwarmNode(index, links, have, world);
	});
	const [seeder, ...downloaders] = nodes as [SwarmNode, ...SwarmNode[]];
	const census = new Census(seeder);
	let lacking = downloaders.length;
	world.onStored = (node, chunk) => {
		// Only nodes that stay count, because chunks are lost with nodes that leave.
		const isStaying = options.leavesAt?.(node.index - 1) === undefined;
		if (isStaying && census.stored(chunk) && options.isSeederLeaving === true) {
			seeder.leave();
		}
		lacking -= node.isComplete ? 1 : 0;
	};
	world.announce(seeder);
	for (const [index, node] of downloaders.entries()) {
		time.at(random() * (options.joining ?? 1_000), () => node.start());
		const leavesAt = options.leavesAt?.(index);
		if (leavesAt !== undefined) {
			time.at(leavesAt, () => {
				lacking -= node.isComplete ? 0 : 1;
				node.leave();
			});
		}
	}
	while (lacking > 0 && time.now < deadline && time.step()) {
		// Each step is an event of its own.
	}
	const sum = (value: (node: SwarmNode) => number): number => {
		return nodes.reduce((total, node) => total + value(node), 0);
	};
	const sent = sum((node) => node.uploads.sent);
	return {
		ms: lacking > 0 ? undefined : time.now,
		completeAt: downloaders.map((node) => node.completeAt),
		sent: sent / (downloaders.length * options.length),
		seederSent: seeder.uploads.sent / options.length,
		seederSentAtWhole:
			census.sentAtWhole === undefined ? undefined : census.sentAtWhole / options.length,
		useless: sum((node) => node.useless) / sent,
	};
}
