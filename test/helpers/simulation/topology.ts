import { DEFAULT_LIMITS } from '../../../protocol/index.ts';
import { Link } from './link.ts';

/** The path between the up link of one node and the down link of another. */
export interface Topology {
	/** Whether a node can tell something once to all who listen. */
	readonly hasSharedTopics: boolean;
	/**
	 * Carries `bytes` that came through an up link at `at` on to `down`.
	 *
	 * @returns when they are through, ms; undefined if they are shed
	 */
	carry(bytes: number, down: Link, at: number): number | undefined;
}

/** Every node reaches every other: the direct lane. */
export class Mesh implements Topology {
	readonly hasSharedTopics = false;

	carry(bytes: number, down: Link, at: number): number {
		return down.carry(bytes, at);
	}
}

/** Everything goes through one broker, whose network card sends one copy to each: the broker lane. */
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
