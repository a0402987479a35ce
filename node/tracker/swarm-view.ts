import {
	type Announce,
	DEFAULT_LIMITS,
	decodeAnnounce,
	decodeEvent,
	decodeNodeState,
	decodeTrackerState,
	type Load,
	type NodeState,
	ShoalError,
	type Topic,
} from '../../protocol/index.ts';

/** A control message as one JSON object. */
export interface ControlEvent {
	readonly event: string;
	readonly [field: string]: unknown;
}

/** What one node has of one seed. */
export interface NodeShare {
	readonly node: string;
	readonly announce: Announce;
	/** What the node says of itself, if it has. */
	readonly state: NodeState | undefined;
}

/** A seed and the nodes that have some of it. */
export interface SwarmOf {
	readonly seed: string;
	readonly nodes: readonly NodeShare[];
}

/** What a node has of a seed was `before`, and is `after`; undefined: nothing. */
export type OnShare = (
	seed: string,
	node: string,
	before: Announce | undefined,
	after: Announce | undefined,
) => void;

/** What a broker that is not to be trusted can have a view hold of each kind. */
const MOST = DEFAULT_LIMITS.announces;

/** The picture of all swarms that the control topics draw. What is beyond what there can be is left out. */
export class SwarmView {
	readonly #nodes = new Map<string, NodeState>();
	readonly #announces = new Map<string, Map<string, Announce>>();
	readonly #changed: OnShare;
	#count = 0;
	#hasTracker = false;
	#load: Load | undefined;

	/** @param changed told of each announce that comes, changes or goes */
	constructor(changed: OnShare = () => {}) {
		this.#changed = changed;
	}

	/** Whether a tracker is ready. */
	get hasTracker(): boolean {
		return this.#hasTracker;
	}

	/** What the broker carries, if it has said so. */
	get load(): Load | undefined {
		return this.#load;
	}

	/** The nodes that are connected. */
	get nodes(): ReadonlyMap<string, NodeState> {
		return this.#nodes;
	}

	/** The swarms in which somebody is connected, the largest first. */
	swarms(): SwarmOf[] {
		return [...this.#announces.keys()]
			.map((seed) => ({ seed, nodes: this.holders(seed) }))
			.sort((a, b) => b.nodes.length - a.nodes.length || (a.seed < b.seed ? -1 : 1));
	}

	/** Who has something of a seed, those who have most first. */
	holders(seed: string): NodeShare[] {
		return [...(this.#announces.get(seed) ?? [])]
			.map(([node, announce]) => ({ node, announce, state: this.#nodes.get(node) }))
			.sort((a, b) => b.announce.have.count - a.announce.have.count || (a.node < b.node ? -1 : 1));
	}

	/** Forgets everything: what is true is told again by the broker. */
	clear(): void {
		this.#nodes.clear();
		this.#announces.clear();
		this.#count = 0;
		this.#hasTracker = false;
		this.#load = undefined;
	}

	/**
	 * Takes a message of a control topic in.
	 *
	 * @returns it as an event, or undefined if it is no control message
	 * @throws ShoalError ERR_MESSAGE
	 */
	apply(topic: Topic, payload: Uint8Array): ControlEvent | undefined {
		switch (topic.kind) {
			case 'tracker-state':
				return this.#onTracker(payload);
			case 'node-state':
				return this.#onState(topic.from, payload);
			case 'announce':
				return this.#onAnnounce(topic.seed, topic.from, payload);
			case 'event': {
				const event = decodeEvent(payload);
				if (event.event !== topic.event) {
					throw new ShoalError('ERR_MESSAGE', 'an event on the topic of another');
				}
				if (event.event === 'load') {
					this.#load = event;
				}
				return { ...event };
			}
			default:
				return undefined;
		}
	}

	#onTracker(payload: Uint8Array): ControlEvent {
		const state = payload.length === 0 ? ({ state: 'lost' } as const) : decodeTrackerState(payload);
		this.#hasTracker = state.state === 'ready';
		return { event: 'tracker', ...state };
	}

	#onState(node: string, payload: Uint8Array): ControlEvent {
		if (payload.length === 0) {
			this.#removeNode(node);
			return { event: 'state', node, state: 'gone' };
		}
		const state = decodeNodeState(payload);
		if (state.state === 'ready') {
			if (this.#nodes.has(node) || this.#nodes.size < MOST) {
				this.#nodes.set(node, state);
			}
		} else {
			this.#removeNode(node);
		}
		return { event: 'state', node, ...state };
	}

	#onAnnounce(seed: string, node: string, payload: Uint8Array): ControlEvent {
		if (payload.length === 0) {
			this.#remove(seed, node);
			return { event: 'withdrawn', seed, node };
		}
		const announce = decodeAnnounce(payload);
		this.#add(seed, node, announce);
		const { name, length, chunks, have } = announce;
		return { event: 'announce', seed, node, name, length, chunks, have: have.count, map: have.map };
	}

	#add(seed: string, node: string, announce: Announce): void {
		const swarm = this.#announces.get(seed) ?? new Map<string, Announce>();
		if (!swarm.has(node)) {
			if (this.#count >= MOST) {
				return;
			}
			this.#count += 1;
		}
		const before = swarm.get(node);
		this.#announces.set(seed, swarm.set(node, announce));
		this.#changed(seed, node, before, announce);
	}

	#removeNode(node: string): void {
		this.#nodes.delete(node);
		for (const seed of [...this.#announces.keys()]) {
			this.#remove(seed, node);
		}
	}

	#remove(seed: string, node: string): void {
		const swarm = this.#announces.get(seed);
		const before = swarm?.get(node);
		if (swarm?.delete(node)) {
			this.#count -= 1;
			this.#changed(seed, node, before, undefined);
		}
		if (swarm?.size === 0) {
			this.#announces.delete(seed);
		}
	}
}
