import type { ByteRange } from '../../protocol/index.ts';

/** A range that a downloader has requested. */
export interface QueuedRange<T> {
	readonly from: string;
	readonly request: bigint;
	readonly range: ByteRange;
	readonly of: T;
}

/**
 * The ranges that a seeder still has to send. Each downloader gets its ranges in the order of its
 * requests. The downloaders take turns, so that one with many requests does not delay the others.
 */
export class RequestQueue<T> {
	readonly #most: number;
	readonly #isSame: (a: T, b: T) => boolean;
	readonly #queues = new Map<string, QueuedRange<T>[]>();

	/**
	 * @param most the largest number of ranges queued for one downloader
	 * @param isSame whether two ranges are of the same content, or of the same seed
	 */
	constructor(most: number, isSame: (a: T, b: T) => boolean = Object.is) {
		this.#most = most;
		this.#isSame = isSame;
	}

	/** Whether `count` more ranges of `from` fit into the queue. */
	hasRoom(from: string, count: number): boolean {
		return (this.#queues.get(from)?.length ?? 0) + count <= this.#most;
	}

	/**
	 * Queues a range. A range that is already queued was requested again because it took long: it
	 * keeps its place and is sent once.
	 */
	add(item: QueuedRange<T>): void {
		const queue = this.#queues.get(item.from) ?? [];
		this.#queues.set(item.from, queue);
		const { range, of } = item;
		const index = queue.findIndex(
			(each) =>
				each.range[0] === range[0] && each.range[1] === range[1] && this.#isSame(each.of, of),
		);
		queue.splice(index < 0 ? queue.length : index, index < 0 ? 0 : 1, item);
	}

	/**
	 * Takes the next range to send. The downloader that requested it goes to the end of the queue.
	 * Undefined if no range is queued.
	 *
	 * @param cost among the ranges of one downloader, the one with the lowest cost is sent first.
	 * @default the order of the requests
	 */
	take(cost: (item: QueuedRange<T>) => number = () => 0): QueuedRange<T> | undefined {
		for (const [from, queue] of this.#queues) {
			const costs = queue.map(cost);
			const [item] = queue.splice(costs.indexOf(Math.min(...costs)), 1);
			this.#queues.delete(from);
			if (queue.length > 0) {
				this.#queues.set(from, queue);
			}
			return item;
		}
		return undefined;
	}

	/** Whether no range is queued. */
	get isEmpty(): boolean {
		return this.#queues.size === 0;
	}

	/** The lowest cost of a queued range; infinite if none is queued. */
	leastCost(cost: (item: QueuedRange<T>) => number): number {
		let least = Number.POSITIVE_INFINITY;
		for (const queue of this.#queues.values()) {
			for (const item of queue) {
				least = Math.min(least, cost(item));
			}
		}
		return least;
	}

	/** Removes ranges of a request. Ranges that are not queued any more cannot be cancelled. */
	cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void {
		const offsets = new Set(ranges.map(([offset]) => offset));
		this.#keep(from, (item) => item.request !== request || !offsets.has(item.range[0]));
	}

	/** Removes every range for which `isOver` returns true. */
	drop(isOver: (item: QueuedRange<T>) => boolean): void {
		for (const from of [...this.#queues.keys()]) {
			this.#keep(from, (item) => !isOver(item));
		}
	}

	#keep(from: string, isKept: (item: QueuedRange<T>) => boolean): void {
		const queue = this.#queues.get(from)?.filter(isKept) ?? [];
		if (queue.length > 0) {
			this.#queues.set(from, queue);
		} else {
			this.#queues.delete(from);
		}
	}
}
