import { PeerSlots } from '../../../node/peers/peer-slots.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { World } from './world.ts';

const QUERY_FIRST = 250;
const QUERY_LAST = 10_000;
const SILENCE = 1_500;
/**
 * ms until a node that has left is removed: the time until the next request to it, and three
 * requests without an answer, two seconds apart.
 */
const GIVEN_UP = 8_000;
/** The most swarm topics that are subscribed to at a time. */
const MOST_TOPICS = 8;
/** Bytes from a topic after which its subscription is kept only if half of them were useful. */
const JUDGED = 8 * 1024 * 1024;

/** The peers of a simulated downloader: a model of `Peers` and `FanOutSubscriptions`. */
export class SimulatedPeers {
	readonly #node: SimulatedNode;
	readonly #world: World;
	/**
	 * The time of the last bytes from each peer; before the first bytes, the time when it was
	 * added.
	 */
	readonly #sentAt = new Map<SimulatedNode, number>();
	/**
	 * For each node whose swarm topic is or was subscribed to: the number of recent bytes from the
	 * topic, and how many of these bytes were useful.
	 */
	readonly #topics = new Map<SimulatedNode, { bytes: number; useful: number; isLeft: boolean }>();
	readonly #slots: PeerSlots;
	#heardAt = 0;
	#queryAfter = QUERY_FIRST;

	constructor(node: SimulatedNode, world: World) {
		this.#node = node;
		this.#world = world;
		this.#slots = new PeerSlots(node.id);
	}

	/** Queries the tracker repeatedly, as long as the node is a downloader. */
	query(): void {
		const { time } = this.#world;
		if (this.#node.isGone || this.#node.isComplete) {
			return;
		}
		const { listed, isAll } = this.#world.sample(this.#node);
		this.#node.listed([...listed].filter(({ isComplete }) => isAll && !isComplete));
		for (const [index, node] of [...listed].entries()) {
			this.consider(node, node.isComplete && index === 0);
		}
		const isSilent = time.now - this.#heardAt >= SILENCE;
		this.#queryAfter = Math.min(this.#queryAfter * 2, QUERY_LAST);
		time.after(isSilent ? SILENCE : this.#queryAfter, () => this.query());
	}

	/** Asks `node` which chunks it has, if there is a slot for it. */
	consider(node: SimulatedNode, isAssigned = false): void {
		const { time } = this.#world;
		const isDownloader = !this.#node.isGone && !this.#node.isComplete;
		if (!isDownloader || this.#sentAt.has(node) || !this.#makeRoom(node, isAssigned)) {
			return;
		}
		this.#sentAt.set(node, time.now);
		const heard = [...this.#topics.values()].filter(({ isLeft }) => !isLeft);
		if (heard.length < MOST_TOPICS && !this.#topics.has(node)) {
			this.#topics.set(node, { bytes: 0, useful: 0, isLeft: false });
		}
		if (node.isGone) {
			time.after(GIVEN_UP, () => this.remove(node));
			return;
		}
		const latency = this.#world.latency(this.#node, node);
		time.after(latency, () => {
			node.meet(this.#node);
			if (!this.#sentAt.has(node)) {
				// The node has lost its slot meanwhile, so its answer is ignored.
				node.countedOnBy.delete(this.#node);
				return;
			}
			const have = node.have();
			time.after(latency, () => this.#node.onHave(node, have));
		});
	}

	/** Records that bytes have arrived from `node`. */
	heard(node: SimulatedNode): void {
		this.#heardAt = this.#world.time.now;
		if (this.#sentAt.has(node)) {
			this.#sentAt.set(node, this.#heardAt);
		}
	}

	/** Removes `node` from the peers. */
	remove(node: SimulatedNode): void {
		if (this.#sentAt.delete(node)) {
			if (this.hears(node)) {
				this.#topics.delete(node);
			}
			this.#node.forget(node);
		}
	}

	/**
	 * Removes `node`, which has left, after GIVEN_UP ms: only then is it noticed that `node` does
	 * not answer.
	 */
	left(node: SimulatedNode): void {
		this.#world.time.after(GIVEN_UP, () => this.remove(node));
	}

	/** Whether the swarm topic of `node` is subscribed to. */
	hears(node: SimulatedNode): boolean {
		return this.#topics.get(node)?.isLeft === false;
	}

	/**
	 * Records `bytes` from the swarm topic of `node`. A topic whose bytes are mostly useless is
	 * unsubscribed from.
	 */
	overheard(node: SimulatedNode, bytes: number, isUseful: boolean): void {
		this.heard(node);
		const topic = this.#topics.get(node);
		if (topic !== undefined) {
			topic.bytes += bytes;
			topic.useful += isUseful ? bytes : 0;
			if (topic.bytes >= JUDGED) {
				topic.isLeft ||= topic.useful * 2 < topic.bytes;
				topic.bytes /= 2;
				topic.useful /= 2;
			}
		}
	}

	/** Removes all peers. */
	clear(): void {
		for (const node of [...this.#sentAt.keys()]) {
			this.remove(node);
		}
	}

	#makeRoom(node: SimulatedNode, isAssigned: boolean): boolean {
		const held = new Map(
			[...this.#sentAt].map(([{ id, isComplete }, sentAt]) => [
				id,
				{ sentAt, isComplete, reply: true },
			]),
		);
		const about = { isComplete: node.isComplete, isAssigned };
		const { isThere, leaves } = this.#slots.slotFor(node.id, held, this.#world.time.now, about);
		if (leaves !== undefined) {
			this.remove(this.#world.nodes.get(leaves) as SimulatedNode);
		}
		return isThere;
	}
}
