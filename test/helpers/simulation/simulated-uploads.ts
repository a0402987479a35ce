import { FanOut } from '../../../node/seeding/fan-out.ts';
import { type QueuedRange, RequestQueue } from '../../../node/seeding/request-queue.ts';
import { type ByteRange, DEFAULT_LIMITS } from '../../../protocol/index.ts';
import { DirectUploads } from './direct-uploads.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { World } from './world.ts';

const SEED = 'seed';

/** A range that is to be sent to a simulated node. */
type Upload = QueuedRange<SimulatedNode>;

/** The uploads of a simulated node: a model of `UploadLane`, with its real queue and fan-out. */
export class SimulatedUploads {
	readonly #node: SimulatedNode;
	readonly #world: World;
	readonly #direct: DirectUploads;
	/** The ranges that wait for the broker lane. */
	readonly #queue = new RequestQueue<SimulatedNode>(DEFAULT_LIMITS.requestQueue);
	readonly #fanOut: FanOut;
	#sent = 0;
	#isBusy = false;

	constructor(node: SimulatedNode, world: World) {
		this.#node = node;
		this.#world = world;
		this.#direct = new DirectUploads(node, world);
		this.#fanOut = new FanOut(() => world.time.now);
	}

	/** Bytes that were sent. */
	get sent(): number {
		return this.#sent + this.#direct.sent;
	}

	/** Queues the ranges that `from` requests. @returns the reason if they are refused */
	ask(
		from: SimulatedNode,
		request: bigint,
		ranges: readonly ByteRange[],
	): 'busy' | 'not-there' | undefined {
		const { layout, topology } = this.#world;
		const isThere = ranges.every(([offset, length]) => {
			return this.#node.hasRange(layout.chunkAt(offset), layout.chunkAt(offset + length - 1));
		});
		if (!isThere) {
			return 'not-there';
		}
		if (!topology.hasSharedTopics) {
			return this.#direct.ask(from, request, ranges);
		}
		if (!this.#queue.hasRoom(from.id, ranges.length)) {
			return 'busy';
		}
		for (const range of ranges) {
			this.#queue.add({ from: from.id, request, range, of: from });
		}
		this.#fanOut.asked(SEED, from.id, this.#node.isComplete && from.hears(this.#node));
		this.#pump();
		return undefined;
	}

	cancel(from: SimulatedNode, request: bigint, ranges: readonly ByteRange[]): void {
		this.#direct.cancel(from, request, ranges);
		this.#queue.cancel(from.id, request, ranges);
	}

	/** Stops sending. */
	stop(): void {
		this.#direct.stop();
		this.#queue.drop(() => true);
	}

	#pump(): void {
		while (!this.#isBusy) {
			const item = this.#queue.take();
			if (item === undefined) {
				return;
			}
			this.#send(item);
		}
	}

	#send(item: Upload): void {
		const { layout, time } = this.#world;
		const [offset, length] = item.range;
		const first = Math.floor(offset / layout.chunkSize);
		const lane = this.#fanOut.deliveryOf(SEED, item.from, first);
		if (lane === 'answered') {
			return;
		}
		const isShared = lane === 'shared';
		if (isShared) {
			const last = Math.floor((offset + length - 1) / layout.chunkSize);
			this.#fanOut.shared(SEED, item.from, first, last);
			this.#queue.drop((other) => other.range[0] === offset && other.range[1] === length);
		}
		this.#isBusy = true;
		this.#sent += length;
		time.at(this.#node.up.carry(length, time.now), () => {
			this.#isBusy = false;
			if (!this.#node.isGone) {
				isShared ? this.#share(item.range) : this.#deliver(item);
				this.#pump();
			}
		});
	}

	#deliver({ of: to, request, range: [offset, length] }: Upload): void {
		this.#world.carry(this.#node, to, length, () => {
			to.onBytes(this.#node, request, offset, length);
		});
	}

	#share([offset, length]: ByteRange): void {
		for (const reader of this.#node.countedOnBy) {
			if (reader.hears(this.#node)) {
				this.#world.carry(this.#node, reader, length, () => {
					reader.onShared(this.#node, offset, length);
				});
			}
		}
	}
}
