import { type QueuedRange, RequestQueue } from '../../../node/seeding/request-queue.ts';
import { LONGEST, UploadSlots } from '../../../node/seeding/upload-slots.ts';
import { type ByteRange, DEFAULT_LIMITS } from '../../../protocol/index.ts';
import type { SimulatedNode } from './simulated-node.ts';
import { Sockets } from './sockets.ts';
import type { World } from './world.ts';

/**
 * If more bytes than this are queued in a lane, the next part waits until the system has taken all
 * of them.
 */
const SEND_AHEAD = 1024 * 1024;

/** The most data that TCP has on the way to a receiver, in ms of the rate of its link. */
const ON_THE_WAY = 200;
/** ms after which the link is tried again if no receiver is ready. */
const AGAIN = 20;

/** The direct lane to one receiver. */
interface Lane {
	readonly to: SimulatedNode;
	readonly queue: RequestQueue<SimulatedNode>;
	/**
	 * `waiting`: it waits for a slot. `sending`: it has a slot. `draining`: it waits until the
	 * system has taken its bytes.
	 */
	state: 'idle' | 'waiting' | 'sending' | 'draining';
}

/** The uploads of a simulated node on direct lanes: a model of `UploadLane`, with its real slots. */
export class DirectUploads {
	/** Bytes that were sent. */
	sent = 0;
	readonly #node: SimulatedNode;
	readonly #world: World;
	readonly #lanes = new Map<SimulatedNode, Lane>();
	readonly #slots = new UploadSlots<Lane>();
	readonly #sockets = new Sockets();
	/** How often each chunk was sent. */
	readonly #counts = new Map<number, number>();
	#isBusy = false;
	#isTimed = false;

	constructor(node: SimulatedNode, world: World) {
		this.#node = node;
		this.#world = world;
	}

	/** Queues the ranges that `from` requests. @returns the reason if they are refused */
	ask(from: SimulatedNode, request: bigint, ranges: readonly ByteRange[]): 'busy' | undefined {
		const lane: Lane = this.#lanes.get(from) ?? {
			to: from,
			queue: new RequestQueue(DEFAULT_LIMITS.requestQueue),
			state: 'idle',
		};
		this.#lanes.set(from, lane);
		if (!lane.queue.hasRoom(from.id, ranges.length)) {
			return 'busy';
		}
		for (const range of ranges) {
			lane.queue.add({ from: from.id, request, range, of: from });
		}
		this.#pump(lane);
		return undefined;
	}

	cancel(from: SimulatedNode, request: bigint, ranges: readonly ByteRange[]): void {
		this.#lanes.get(from)?.queue.cancel(from.id, request, ranges);
	}

	/** Stops sending. */
	stop(): void {
		this.#lanes.clear();
		this.#sockets.clear();
	}

	/**
	 * Works like the loop in `UploadLane`: takes a slot, sends one chunk or more, and waits until
	 * the system has taken the bytes.
	 */
	#pump(lane: Lane): void {
		const { now } = this.#world.time;
		if (lane.state === 'draining' && this.#sockets.queued(lane.to) === 0) {
			lane.state = 'sending';
			if (lane.queue.isEmpty || !this.#slots.keeps(lane, now)) {
				lane.state = 'idle';
				this.#slots.leave(lane);
			}
			if (lane.queue.isEmpty) {
				this.#grant();
			}
		}
		if (lane.state === 'idle' && !lane.queue.isEmpty) {
			lane.state = 'waiting';
			this.#slots.wait(lane, () => lane.queue.leastCost(this.#cost));
			this.#grant();
		}
		if (lane.state === 'sending') {
			this.#send(lane);
		}
		this.#carry();
	}

	#grant(): void {
		const { time } = this.#world;
		for (const lane of this.#slots.next(time.now)) {
			lane.state = 'sending';
			this.#pump(lane);
		}
		if (this.#slots.areWaiting && !this.#isTimed) {
			this.#isTimed = true;
			time.after(LONGEST, () => {
				this.#isTimed = false;
				this.#grant();
			});
		}
	}

	#send(lane: Lane): void {
		const { layout } = this.#world;
		let isOver = !this.#slots.has(lane);
		while (this.#sockets.queued(lane.to) <= SEND_AHEAD) {
			const item = isOver ? undefined : lane.queue.take(this.#cost);
			if (item === undefined) {
				lane.state = 'draining';
				this.#pump(lane);
				return;
			}
			const [offset, length] = item.range;
			const chunk = layout.chunkAt(offset + length - 1);
			const isEnd = layout.offsetOf(chunk) + layout.sizeOf(chunk) === offset + length;
			if (isEnd) {
				this.#counts.set(chunk, (this.#counts.get(chunk) ?? 0) + 1);
			}
			isOver = isEnd && this.#slots.areWaiting;
			this.#sockets.write({ to: item.of, request: item.request, range: item.range });
		}
	}

	readonly #cost = ({ range }: QueuedRange<SimulatedNode>): number => {
		return this.#counts.get(this.#world.layout.chunkAt(range[0])) ?? 0;
	};

	#carry(): void {
		if (this.#isBusy || this.#sockets.isEmpty) {
			return;
		}
		const { time } = this.#world;
		const slice = this.#sockets.take((to) => to.down.freeAt - time.now < ON_THE_WAY);
		if (slice === undefined) {
			this.#isBusy = true;
			time.after(AGAIN, () => {
				this.#isBusy = false;
				this.#carry();
			});
			return;
		}
		const { part, bytes, isLast } = slice;
		this.#isBusy = true;
		this.sent += bytes;
		time.at(this.#node.up.carry(bytes, time.now), () => {
			this.#isBusy = false;
			if (!this.#node.isGone) {
				if (isLast) {
					const [offset, length] = part.range;
					this.#world.carry(this.#node, part.to, length, () => {
						part.to.onBytes(this.#node, part.request, offset, length);
					});
				}
				const lane = this.#lanes.get(part.to);
				if (lane !== undefined) {
					this.#pump(lane);
				}
				this.#carry();
			}
		});
	}
}
