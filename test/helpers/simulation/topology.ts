import { DEFAULT_LIMITS } from '../../../protocol/index.ts';
import { Link } from './link.ts';

/** The path between the up link of one node and the down link of another. */
export interface Topology {
	/** Whether a node can send a chunk once to all subscribers of its swarm topic. */
	readonly hasSharedTopics: boolean;
	/**
	 * Carries `bytes`, which have passed an up link at the time `at`, to the link `down`.
	 *
	 * @returns the time when they have passed `down`, ms; undefined if they are shed
	 */
	carry(bytes: number, down: Link, at: number): number | undefined;
}

/** A network in which every node reaches every other node, as on direct lanes. */
export class Mesh implements Topology {
	readonly hasSharedTopics = false;

	carry(bytes: number, down: Link, at: number): number {
		return down.carry(bytes, at);
	}
}

/**
 * A network in which everything goes through one broker, which sends a copy to each receiver, as on
 * the broker lane.
 */
export class Star implements Topology {
	readonly hasSharedTopics = true;
	readonly #egress: Link;

	/** @param egress bytes per second that the broker sends */
	constructor(egress: number) {
		this.#egress = new Link(egress);
	}

	carry(bytes: number, down: Link, at: number): number | undefined {
		const queued = (Math.max(0, down.freeAt - at) * down.rate) / 1_000;
		return queued > DEFAULT_LIMITS.shedQueue
			? undefined
			: down.carry(bytes, this.#egress.carry(bytes, at));
	}
}
