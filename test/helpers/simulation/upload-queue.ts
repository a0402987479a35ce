import { type QueuedRange, RequestQueue } from '../../../node/seeding/request-queue.ts';
import { type ByteRange, DEFAULT_LIMITS } from '../../../protocol/index.ts';
import { SentCounts } from './sent-counts.ts';
import type { SimulatedNode } from './simulated-node.ts';

/** A range that is to be sent to a simulated node. */
export type Upload = QueuedRange<SimulatedNode>;

/** The uploads that wait at a simulated node, in the order of a policy. */
export interface UploadQueue {
	/** Queues uploads of one request. @returns those that gave way; undefined if there is no room */
	add(uploads: readonly Upload[]): readonly Upload[] | undefined;
	take(): Upload | undefined;
	cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void;
	/** Forgets everything for which `isOver` holds. */
	drop(isOver: (upload: Upload) => boolean): void;
}

/** As `UploadLane` has it: over the downloaders in turn, however many there are. */
export class RoundRobin implements UploadQueue {
	readonly #queue = new RequestQueue<SimulatedNode>(DEFAULT_LIMITS.requestQueue);

	add(uploads: readonly Upload[]): readonly Upload[] | undefined {
		const [first] = uploads;
		if (first !== undefined && !this.#queue.hasRoom(first.from, uploads.length)) {
			return undefined;
		}
		for (const upload of uploads) {
			this.#queue.add(upload);
		}
		return [];
	}

	take(): Upload | undefined {
		return this.#queue.take();
	}

	cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void {
		this.#queue.cancel(from, request, ranges);
	}

	drop(isOver: (upload: Upload) => boolean): void {
		this.#queue.drop(isOver);
	}
}

/** Downloaders that wait at a time; each has a window full of uploads. */
const MOST_DOWNLOADERS = 16;

/**
 * A rule on trial: what spreads the content soonest goes first ({@link SentCounts}), and a crowd does not
 * wait in line, as its uploads would be stale when they are granted: beyond so many downloaders one
 * that waits for something less urgent gives way, or the one that comes is refused.
 */
export class LeastSentFirst implements UploadQueue {
	readonly #chunkSize: number;
	readonly #sentCounts = new SentCounts();
	readonly #queues = new Map<string, Upload[]>();

	constructor(chunkSize: number) {
		this.#chunkSize = chunkSize;
	}

	add(uploads: readonly Upload[]): readonly Upload[] | undefined {
		const [first] = uploads;
		const given = first === undefined ? [] : this.#makeRoom(first);
		if (first !== undefined && given !== undefined) {
			const queue = this.#queues.get(first.from) ?? [];
			this.#queues.set(first.from, queue);
			for (const upload of uploads) {
				const at = queue.findIndex(({ range }) => range[0] === upload.range[0]);
				queue.splice(at < 0 ? queue.length : at, at < 0 ? 0 : 1, upload);
			}
		}
		return given;
	}

	take(): Upload | undefined {
		const next = this.#find((rank, least) => rank < least);
		if (next !== undefined) {
			const queue = this.#queues.get(next.from) ?? [];
			queue.shift();
			this.#queues.delete(next.from);
			if (queue.length > 0) {
				this.#queues.set(next.from, queue);
			}
			const [offset, length] = next.range;
			this.#sentCounts.sent(next.from, this.#chunkOf(offset), length, this.#chunkSize);
		}
		return next;
	}

	cancel(from: string, request: bigint, ranges: readonly ByteRange[]): void {
		const offsets = new Set(ranges.map(([offset]) => offset));
		this.#keep(from, (upload) => upload.request !== request || !offsets.has(upload.range[0]));
	}

	drop(isOver: (upload: Upload) => boolean): void {
		for (const from of [...this.#queues.keys()]) {
			this.#keep(from, (upload) => !isOver(upload));
		}
	}

	#makeRoom(first: Upload): readonly Upload[] | undefined {
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

	/** Of the uploads whose turn it is at their downloader, the one whose rank is best. */
	#find(isBetter: (rank: number, than: number) => boolean): Upload | undefined {
		let best: Upload | undefined;
		let bestRank = 0;
		for (const [upload] of this.#queues.values()) {
			const rank = upload === undefined ? 0 : this.#rank(upload);
			if (best === undefined || isBetter(rank, bestRank)) {
				best = upload;
				bestRank = rank;
			}
		}
		return best;
	}

	#rank({ from, range }: Upload): number {
		return this.#sentCounts.rank(from, this.#chunkOf(range[0]));
	}

	#chunkOf(offset: number): number {
		return Math.floor(offset / this.#chunkSize);
	}

	#keep(from: string, isKept: (upload: Upload) => boolean): void {
		const queue = this.#queues.get(from)?.filter(isKept) ?? [];
		if (queue.length > 0) {
			this.#queues.set(from, queue);
		} else {
			this.#queues.delete(from);
		}
	}
}
