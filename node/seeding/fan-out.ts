import type { ByteRange, Layout } from '../../protocol/index.ts';
import { chunksOfRange } from '../engine/chunk-run.ts';
import type { QueuedRange, RequestQueue } from './request-queue.ts';
import type { Answer, SendPolicy, UploadItem } from './upload-lane.ts';

/**
 * ms. A node counts as a subscriber of a swarm for this long after its last request, and a chunk that was sent to all
 * subscribers may be on its way for this long, as it waits at the slowest subscriber's link.
 */
const RECENT = 5_000;

/** How a request is answered: to all subscribers, to the asker alone, or not, as it has been already. */
export type Delivery = 'shared' | 'private' | 'answered';

interface Subscriber {
	/** Since when it is subscribed. */
	since: number;
	askedAt: number;
}

interface Shared {
	readonly at: number;
	/** The nodes it has answered: one that asks again has lost it. */
	readonly answered: Set<string>;
}

/**
 * Decides which chunks a seeder sends once to all subscribers of a swarm: those of seeds that at least two subscribers
 * requested chunks of in the last `RECENT` ms. A request for a chunk that was sent to all just before has crossed
 * it on the way, and is not answered. A node that requests the chunk again has lost it, and is answered alone. Times
 * are ms of the given clock.
 */
export class FanOut {
	readonly #now: () => number;
	readonly #subscribers = new Map<string, Map<string, Subscriber>>();
	/** By seed and unit, the oldest first. */
	readonly #shared = new Map<string, Shared>();

	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
	}

	/** `node` asks for chunks of `seed`, and says whether it is subscribed to its swarm. */
	asked(seed: string, node: string, isSubscribed: boolean): void {
		const now = this.#now();
		const subscribers = this.#subscribers.get(seed) ?? new Map<string, Subscriber>();
		this.#subscribers.set(seed, subscribers);
		for (const [each, { askedAt }] of subscribers) {
			if (now - askedAt > RECENT) {
				subscribers.delete(each);
			}
		}
		if (isSubscribed) {
			subscribers.set(node, { since: subscribers.get(node)?.since ?? now, askedAt: now });
		} else {
			subscribers.delete(node);
		}
	}

	/** Whether `node` hears what is shared of `seed`. */
	isSubscribed(seed: string, node: string): boolean {
		const subscriber = this.#subscribers.get(seed)?.get(node);
		return subscriber !== undefined && isRecent(subscriber, this.#now());
	}

	/** How the request of `node` for `unit`, a chunk or a block of one, is answered now. */
	deliveryOf(seed: string, node: string, unit: number): Delivery {
		const now = this.#now();
		const subscribers = this.#subscribers.get(seed);
		const subscriber = subscribers?.get(node);
		if (subscribers === undefined || subscriber === undefined || !isRecent(subscriber, now)) {
			return 'private';
		}
		const shared = this.#shared.get(key(seed, unit));
		if (shared !== undefined && now - shared.at <= RECENT && shared.at >= subscriber.since) {
			const isLost = shared.answered.has(node);
			shared.answered.add(node);
			return isLost ? 'private' : 'answered';
		}
		const recent = [...subscribers.values()].filter((each) => isRecent(each, now));
		return recent.length >= 2 ? 'shared' : 'private';
	}

	/** The units from `first` to `last` are shared now, as `node` asked for them. */
	shared(seed: string, node: string, first: number, last: number): void {
		const now = this.#now();
		for (const [each, { at }] of this.#shared) {
			if (now - at <= RECENT) {
				break;
			}
			this.#shared.delete(each);
		}
		for (let unit = first; unit <= last; unit += 1) {
			this.#shared.delete(key(seed, unit));
			this.#shared.set(key(seed, unit), { at: now, answered: new Set([node]) });
		}
	}
}

function isRecent({ askedAt }: Subscriber, now: number): boolean {
	return now - askedAt <= RECENT;
}

function key(seed: string, unit: number): string {
	return `${seed} ${unit}`;
}

/**
 * Through the broker: in the order of the requests, and once for all where several peers are subscribed.
 *
 * @param mostPart bytes of the largest part that the broker carries now
 */
export function brokerPolicy(fanOut: FanOut, mostPart: () => number): SendPolicy {
	return { answer: (item, queue) => brokerAnswer(item, queue, fanOut, mostPart()) };
}

function brokerAnswer(
	{ from, range, of }: QueuedRange<UploadItem>,
	queue: RequestQueue<UploadItem>,
	fanOut: FanOut,
	mostPart: number,
): Answer | undefined {
	const { content } = of;
	const { id } = content.seed;
	// Not sent to all: the text of a seed, as it may be longer than its content; and chunks of a node that lacks some
	// itself, as most of the others have those already.
	const unit =
		of.of === 'seed' || !content.have.isFull
			? undefined
			: sharedUnit(content.seed.layout, range, mostPart);
	if (unit === undefined) {
		return { range, isPrivate: true };
	}
	const { first, last, whole } = unit;
	const delivery = fanOut.deliveryOf(id, from, first);
	if (delivery === 'answered') {
		return undefined;
	}
	if (delivery === 'private') {
		return { range, isPrivate: true };
	}
	fanOut.shared(id, from, first, last);
	queue.drop((other) => {
		const isSame = other.of.of === 'content' && other.of.content === content;
		return isSame && isInside(other.range, whole) && fanOut.isSubscribed(id, other.from);
	});
	return { range: whole, isPrivate: false };
}

/** What is sent to all subscribers for a range that one of them requested. */
interface SharedUnit {
	/** Numbers of the first and the last chunk, or of the block. */
	readonly first: number;
	readonly last: number;
	/** All their bytes. */
	readonly whole: ByteRange;
}

/**
 * What other subscribers can use as well: the chunks that `range` touches, or, of a chunk that is larger than a part, the
 * block with `range`. Undefined if that is more than `mostPart` bytes.
 */
function sharedUnit(layout: Layout, range: ByteRange, mostPart: number): SharedUnit | undefined {
	const block = 2 ** Math.floor(Math.log2(mostPart));
	if (layout.chunkSize > block) {
		const [offset, length] = range;
		const first = Math.floor(offset / block);
		const last = Math.floor((offset + length - 1) / block);
		const start = first * block;
		const whole = [start, Math.min(block, layout.length - start)] as const;
		return first === last ? { first, last, whole } : undefined;
	}
	const [first, last] = chunksOfRange(layout, range);
	const start = layout.offsetOf(first);
	const whole = [start, layout.offsetOf(last) + layout.sizeOf(last) - start] as const;
	return whole[1] <= mostPart ? { first, last, whole } : undefined;
}

function isInside([offset, length]: ByteRange, [start, size]: ByteRange): boolean {
	return offset >= start && offset + length <= start + size;
}
