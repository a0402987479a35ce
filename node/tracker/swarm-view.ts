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
import { setNewest } from '../util/set-newest.ts';

/** A control message as one JSON object. */
export interface ControlEvent {
	readonly event: string;
	readonly [field: string]: unknown;
}

/** A node that announces a seed. */
export interface NodeShare {
	readonly node: string;
	readonly announce: Announce;
	/** The last state of the node, if it has published one. */
	readonly state: NodeState | undefined;
}

/** A seed and the nodes that announce it. */
export interface SwarmOf {
	readonly seed: string;
	readonly nodes: readonly NodeShare[];
}

/**
 * A function that is called when the announce of a node for a seed changes from `before` to
 * `after`; undefined means that there is no announce.
 */
export type OnShare = (
	seed: string,
	node: string,
	before: Announce | undefined,
	after: Announce | undefined,
) => void;

/** Maximum number of entries of each kind in a view, as the broker is not trusted. */
const MOST = DEFAULT_LIMITS.announces;
/**
 * Maximum number of names of nodes that are gone. These names are kept because events about their
 * nodes may arrive a moment later.
 */
const MOST_GONE = 1_000;

/**
 * All swarms, as the control topics describe them. Entries beyond the limits are ignored. A node
 * counts only if its state is ready. An announce counts only if it is of the same session as the
 * state of its node, because the broker retains the announces of nodes that are gone until the
 * tracker removes them after their ttl.
 */
export class SwarmView {
	readonly #nodes = new Map<string, NodeState>();
	/** By seed and node; also announces of nodes that are not connected. */
	readonly #announces = new Map<string, Map<string, Announce>>();
	readonly #seedsOf = new Map<string, Set<string>>();
	readonly #changed: OnShare;
	/** Names of nodes that are gone, in the order in which they left. */
	readonly #namesOfGone = new Map<string, string>();
	/** Entries that were received before the connection was lost, and not received again since. */
	readonly #unconfirmed = new Set<object>();
	#count = 0;
	#tracker: string | undefined;
	#load: Load | undefined;
	#cutOffSince: number | undefined;

	/** @param changed called for each announce that is added, changes or is removed */
	constructor(changed: OnShare = () => {}) {
		this.#changed = changed;
	}

	/** Whether a tracker is ready. */
	get hasTracker(): boolean {
		return this.#tracker !== undefined;
	}

	/** The load of the broker, if it has been published. */
	get load(): Load | undefined {
		return this.#load;
	}

	/** The nodes that are connected. */
	get nodes(): ReadonlyMap<string, NodeState> {
		return this.#nodes;
	}

	/**
	 * Start of the disconnect, ms since 1970; the view shows the state of that time. Undefined while
	 * there is a connection.
	 */
	get cutOffSince(): number | undefined {
		return this.#cutOffSince;
	}

	/** The name of a node, if it has one; also of a node that has just left. */
	nameOf(node: string): string | undefined {
		return this.#nodes.get(node)?.name ?? this.#namesOfGone.get(node);
	}

	/** The swarms with a connected node, the largest first. */
	swarms(): SwarmOf[] {
		return [...this.#announces.keys()]
			.map((seed) => ({ seed, nodes: this.holders(seed) }))
			.filter(({ nodes }) => nodes.length > 0)
			.sort((a, b) => b.nodes.length - a.nodes.length || (a.seed < b.seed ? -1 : 1));
	}

	/** The connected nodes that announce a seed, those with the most chunks first. */
	holders(seed: string): NodeShare[] {
		return [...(this.#announces.get(seed) ?? [])]
			.filter(([node, announce]) => this.#shows(node, announce))
			.map(([node, announce]) => ({ node, announce, state: this.#nodes.get(node) }))
			.sort((a, b) => b.announce.have.count - a.announce.have.count || (a.node < b.node ? -1 : 1));
	}

	/**
	 * Handles the loss of the connection: the view stays as it is, and none of its entries is
	 * certain.
	 */
	interrupt(): void {
		this.#cutOffSince ??= Date.now();
		this.#tracker = undefined;
		for (const each of this.#heard()) {
			this.#unconfirmed.add(each);
		}
	}

	/** Handles the return of the connection. */
	resume(): void {
		this.#cutOffSince = undefined;
	}

	/** Removes the entries that were not received again since the connection came back. */
	settle(): void {
		for (const [seed, swarm] of [...this.#announces]) {
			for (const [node, announce] of [...swarm]) {
				if (this.#unconfirmed.has(announce)) {
					this.#remove(seed, node);
				}
			}
		}
		for (const [node, state] of [...this.#nodes]) {
			if (this.#unconfirmed.has(state)) {
				this.#setState(node, undefined);
			}
		}
		if (this.#load !== undefined && this.#unconfirmed.has(this.#load)) {
			this.#load = undefined;
		}
		this.#unconfirmed.clear();
	}

	/**
	 * Applies a message of a control topic.
	 *
	 * @returns the message as an event; undefined if it is no control message
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
					throw new ShoalError('ERR_MESSAGE', 'an event on the topic of another event');
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
		if (state.state === 'ready') {
			this.#tracker = state.session;
		} else if (!('session' in state) || state.session === this.#tracker) {
			// The `lost` of another session is late: a later tracker is ready.
			this.#tracker = undefined;
		}
		return { event: 'tracker', ...state };
	}

	#onState(node: string, payload: Uint8Array): ControlEvent {
		if (payload.length === 0) {
			this.#setState(node, undefined);
			return { event: 'state', node, state: 'gone' };
		}
		const state = decodeNodeState(payload);
		if (state.state === 'ready') {
			this.#setState(node, state);
		} else if (this.#nodes.get(node)?.session === state.session) {
			// The state of another session is late: the node has connected again.
			this.#setState(node, undefined);
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
		const { name, length, chunks, files, index, have } = announce;
		const about = { name, length, chunks, files, index };
		return { event: 'announce', seed, node, ...about, have: have.count, map: have.map };
	}

	/** All entries of the view. */
	*#heard(): Generator<object> {
		yield* this.#nodes.values();
		for (const swarm of this.#announces.values()) {
			yield* swarm.values();
		}
		if (this.#load !== undefined) {
			yield this.#load;
		}
	}

	#shows(node: string, announce: Announce): boolean {
		return this.#nodes.get(node)?.session === announce.session;
	}

	#shown(seed: string, node: string): Announce | undefined {
		const announce = this.#announces.get(seed)?.get(node);
		return announce !== undefined && this.#shows(node, announce) ? announce : undefined;
	}

	/**
	 * Does `change`, and reports each announce of `node` for `seeds` that `change` has made visible
	 * or invisible, or has replaced.
	 */
	#tell(seeds: Iterable<string>, node: string, change: () => void): void {
		const before = [...seeds].map((seed) => [seed, this.#shown(seed, node)] as const);
		change();
		for (const [seed, was] of before) {
			const is = this.#shown(seed, node);
			if (was !== is) {
				this.#changed(seed, node, was, is);
			}
		}
	}

	/** @param state undefined: the node is not connected */
	#setState(node: string, state: NodeState | undefined): void {
		const before = this.#nodes.get(node);
		if (before === undefined && this.#nodes.size >= MOST) {
			return;
		}
		const isSame = before?.session === state?.session;
		this.#tell(isSame ? [] : (this.#seedsOf.get(node) ?? []), node, () => {
			if (state === undefined) {
				this.#nodes.delete(node);
				this.#remember(node, before?.name);
			} else {
				this.#nodes.set(node, state);
			}
		});
	}

	#remember(node: string, name: string | undefined): void {
		if (name !== undefined) {
			setNewest(this.#namesOfGone, node, name, MOST_GONE);
		}
	}

	#add(seed: string, node: string, announce: Announce): void {
		const swarm = this.#announces.get(seed) ?? new Map<string, Announce>();
		if (!swarm.has(node)) {
			if (this.#count >= MOST) {
				return;
			}
			this.#count += 1;
			this.#seedsOf.set(node, (this.#seedsOf.get(node) ?? new Set()).add(seed));
		}
		this.#tell([seed], node, () => this.#announces.set(seed, swarm.set(node, announce)));
	}

	#remove(seed: string, node: string): void {
		const swarm = this.#announces.get(seed);
		this.#tell([seed], node, () => {
			if (swarm?.delete(node)) {
				this.#count -= 1;
				this.#seedsOf.get(node)?.delete(seed);
			}
		});
		if (this.#seedsOf.get(node)?.size === 0) {
			this.#seedsOf.delete(node);
		}
		if (swarm?.size === 0) {
			this.#announces.delete(seed);
		}
	}
}
