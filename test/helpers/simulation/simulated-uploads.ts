import { FanOut } from '../../../node/seeding/fan-out.ts';
import type { ByteRange } from '../../../protocol/index.ts';
import type { SimulatedNode } from './simulated-node.ts';
import { LeastSentFirst, RoundRobin, type Upload, type UploadQueue } from './upload-queue.ts';
import type { World } from './world.ts';

const SEED = 'seed';

/** The uploads of a simulated node: a model of `UploadLane`, with its real queue and fan-out. */
export class SimulatedUploads {
	/** Bytes that went up. */
	sent = 0;
	readonly #node: SimulatedNode;
	readonly #world: World;
	readonly #queue: UploadQueue;
	readonly #fanOut: FanOut;
	#isBusy = false;

	constructor(node: SimulatedNode, world: World) {
		this.#node = node;
		this.#world = world;
		const { isSpreadFirst, layout } = world;
		this.#queue = isSpreadFirst ? new LeastSentFirst(layout.chunkSize) : new RoundRobin();
		this.#fanOut = new FanOut(() => world.time.now);
	}

	/** `from` asks for ranges. @returns why not, if they are refused */
	ask(
		from: SimulatedNode,
		request: bigint,
		ranges: readonly ByteRange[],
	): 'busy' | 'not-there' | undefined {
		const { chunkSize } = this.#world.layout;
		const isThere = ranges.every(([offset, length]) => {
			const last = Math.floor((offset + length - 1) / chunkSize);
			return this.#node.hasRange(Math.floor(offset / chunkSize), last);
		});
		if (!isThere) {
			return 'not-there';
		}
		const given = this.#queue.add(
			ranges.map((range) => ({ from: from.id, request, range, of: from })),
		);
		if (given === undefined) {
			return 'busy';
		}
		for (const [id, of] of new Map(given.map((item) => [item.request, item.of]))) {
			of.refusedBy(this.#node, id, 'busy');
		}
		if (this.#world.topology.hasSharedTopics) {
			const isSharing = !this.#world.isSpreadFirst || this.#node.isComplete;
			this.#fanOut.asked(SEED, from.id, isSharing && from.hears(this.#node));
		}
		this.#pump();
		return undefined;
	}

	cancel(from: SimulatedNode, request: bigint, ranges: readonly ByteRange[]): void {
		this.#queue.cancel(from.id, request, ranges);
	}

	/** Nothing more is sent. */
	stop(): void {
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
		const lane = this.#world.topology.hasSharedTopics
			? this.#fanOut.deliveryOf(SEED, item.from, first)
			: 'private';
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
		this.sent += length;
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
