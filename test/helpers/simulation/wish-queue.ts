import { type QueuedRange, RequestQueue } from '../../../node/seeding/request-queue.ts';
import { type ByteRange, DEFAULT_LIMITS } from '../../../protocol/index.ts';
import { SentCounts } from './sent-counts.ts';
import type { SimulatedNode } from './simulated-node.ts';

/** A range that a simulated node waits for. */
export type Wish = QueuedRange<SimulatedNode>;

/** What a simulated node has still to send, and in which order. */
export interface WishQueue {
	/** Queues wishes of one request. @returns those that gave way; undefined if there is no room */
	add(wishes: readonly Wish[]): readonly Wish[] | undefined;
	take(): Wish | undefined;
	cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void;
	/** Forgets everything for which `isOver` holds. */
	drop(isOver: (wish: Wish) => boolean): void;
}

/** What `ChunkSender` does: over the downloaders in turn, however many there are. */
export class InTurn implements WishQueue {
	readonly #queue = new RequestQueue<SimulatedNode>(DEFAULT_LIMITS.requestQueue);

	add(wishes: readonly Wish[]): readonly Wish[] | undefined {
		const [first] = wishes;
		if (first !== undefined && !this.#queue.hasRoom(first.from, wishes.length)) {
			return undefined;
		}
		for (const wish of wishes) {
			this.#queue.add(wish);
		}
		return [];
	}

	take(): Wish | undefined {
		return this.#queue.take();
	}

	cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void {
		this.#queue.cancel(from, request, ranges);
	}

	drop(isOver: (wish: Wish) => boolean): void {
		this.#queue.drop(isOver);
	}
}

/** Downloaders that wait at a time; each has a window full of wishes. */
const MOST_DOWNLOADERS = 16;

/**
 * A rule on trial: what spreads the content soonest goes first ({@link SentCounts}), and a crowd does not
 * wait in line, as its wishes would be stale when they are granted: beyond so many downloaders one
 * that waits for something less urgent gives way, or the one that comes is refused.
 */
export class SpreadFirst implements WishQueue {
	readonly #chunkSize: number;
	readonly #spread = new SentCounts();
	readonly #queues = new Map<string, Wish[]>();

	constructor(chunkSize: number) {
		this.#chunkSize = chunkSize;
	}

	add(wishes: readonly Wish[]): readonly Wish[] | undefined {
		const [first] = wishes;
		const given = first === undefined ? [] : this.#admit(first);
		if (first !== undefined && given !== undefined) {
			const queue = this.#queues.get(first.from) ?? [];
			this.#queues.set(first.from, queue);
			for (const wish of wishes) {
				const place = queue.findIndex(({ range }) => range[0] === wish.range[0]);
				queue.splice(place < 0 ? queue.length : place, place < 0 ? 0 : 1, wish);
			}
		}
		return given;
	}

	take(): Wish | undefined {
		const next = this.#find((rank, least) => rank < least);
		if (next !== undefined) {
			const queue = this.#queues.get(next.from) ?? [];
			queue.shift();
			this.#queues.delete(next.from);
			if (queue.length > 0) {
				this.#queues.set(next.from, queue);
			}
			const [offset, length] = next.range;
			this.#spread.sent(next.from, this.#chunkOf(offset), length, this.#chunkSize);
		}
		return next;
	}

	cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void {
		const offsets = new Set(ranges.map(([offset]) => offset));
		this.#keep(from, (wish) => wish.request !== request || !offsets.has(wish.range[0]));
	}

	drop(isOver: (wish: Wish) => boolean): void {
		for (const from of [...this.#queues.keys()]) {
			this.#keep(from, (wish) => !isOver(wish));
		}
	}

	#admit(first: Wish): readonly Wish[] | undefined {
		if (this.#queues.has(first.from) || this.#queues.size < MOST_DOWNLOADERS) {
			return [];
		}
		const last = this.#find((rank, most) => rank >= most);
		if (last === undefined || this.#rank(first) >= this.#rank(last)) {
			return undefined;
		}
		const given = this.#queues.get(last.from) ?? [];
		this.#queues.delete(last.from);
		return given;
	}

	/** Of the wishes whose turn it is at their downloader, the one whose rank is best. */
	#find(isBetter: (rank: number, than: number) => boolean): Wish | undefined {
		let best: Wish | undefined;
		let bestRank = 0;
		for (const [wish] of this.#queues.values()) {
			const rank = wish === undefined ? 0 : this.#rank(wish);
			if (best === undefined || isBetter(rank, bestRank)) {
				best = wish;
				bestRank = rank;
			}
		}
		return best;
	}

	#rank({ from, range }: Wish): number {
		return this.#spread.rank(from, this.#chunkOf(range[0]));
	}

	#chunkOf(offset: number): number {
		return Math.floor(offset / this.#chunkSize);
	}

	#keep(from: string, isKept: (wish: Wish) => boolean): void {
		const queue = this.#queues.get(from)?.filter(isKept) ?? [];
		if (queue.length > 0) {
			this.#queues.set(from, queue);
		} else {
			this.#queues.delete(from);
		}
	}
}
