import { type ByteRange, type Layout, PORTABLE_PART } from '../../protocol/index.ts';
import type { QueuedRange, RequestQueue } from './request-queue.ts';
import type { Answer, SendPolicy, UploadItem } from './upload-lane.ts';

/**
 * ms. A node counts as a subscriber of a swarm for this long after its last request. A chunk that
 * was sent to all subscribers may take this long to arrive, because it can wait for a slow link.
 */
const RECENT = 5_000;

/**
 * How a request is answered: with bytes to all subscribers, with bytes to the requester alone, or
 * not at all, because a chunk that was just sent to all subscribers answers it.
 */
export type Delivery = 'shared' | 'private' | 'answered';

interface Subscriber {
	/** When it subscribed, ms. */
	since: number;
	askedAt: number;
}

interface Shared {
	readonly at: number;
	/** The number of the message: units with lower numbers were sent before. */
	readonly order: number;
	/** The nodes whose request this answered: a node that requests the chunk again has lost it. */
	readonly answered: Set<string>;
}

/**
 * Decides which chunks a seeder sends once to all subscribers of a swarm: the chunks of a seed from
 * which at least two subscribers requested chunks in the last `RECENT` ms. A request for a chunk
 * that was just sent to all has crossed that chunk on the way, and is not answered. A node that
 * requests the chunk again, or that has received what was sent after it, has lost the chunk, and the
 * answer goes to that node alone. Times are ms of the given clock.
 */
export class FanOut {
	readonly #now: () => number;
	readonly #subscribers = new Map<string, Map<string, Subscriber>>();
	/** The chunks or blocks that were sent to all subscribers, the oldest first. */
	readonly #shared = new Map<string, Shared>();
	#messages = 0;

	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
	}

	/**
	 * `node` requests chunks of `seed`, and says whether it is subscribed to the fan-out of `seed`.
	 */
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

	/** Whether `node` gets the chunks of `seed` that are sent to all subscribers. */
	isSubscribed(seed: string, node: string): boolean {
		const subscriber = this.#subscribers.get(seed)?.get(node);
		return subscriber !== undefined && isRecent(subscriber, this.#now());
	}

	/** The number of the message in which `unit` was last sent to all; undefined if none was. */
	messageWith(seed: string, unit: number): number | undefined {
		return this.#shared.get(key(seed, unit))?.order;
	}

	/**
	 * How the request of `node` for `unit`, a chunk or a block of a chunk, is answered now.
	 *
	 * @param heard the number of the last message that `node` had received when it sent the request
	 */
	deliveryOf(seed: string, node: string, unit: number, heard = 0): Delivery {
		const now = this.#now();
		const subscribers = this.#subscribers.get(seed);
		const subscriber = subscribers?.get(node);
		if (subscribers === undefined || subscriber === undefined || !isRecent(subscriber, now)) {
			return 'private';
		}
		const shared = this.#shared.get(key(seed, unit));
		if (shared !== undefined && now - shared.at <= RECENT && shared.at >= subscriber.since) {
			const isLost = shared.answered.has(node) || heard >= shared.order;
			shared.answered.add(node);
			return isLost ? 'private' : 'answered';
		}
		const recent = [...subscribers.values()].filter((each) => isRecent(each, now));
		return recent.length >= 2 ? 'shared' : 'private';
	}

	/** Records that the units `first` to `last` go to all subscribers, on a request of `node`. */
	shared(seed: string, node: string, first: number, last: number): void {
		const now = this.#now();
		this.#messages += 1;
		for (const [each, { at }] of this.#shared) {
			if (now - at <= RECENT) {
				break;
			}
			this.#shared.delete(each);
		}
		for (let unit = first; unit <= last; unit += 1) {
			this.#shared.delete(key(seed, unit));
			const about = { at: now, order: this.#messages, answered: new Set([node]) };
			this.#shared.set(key(seed, unit), about);
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
 * The policy of the broker lane: ranges are sent in the order of the requests. If several peers are
 * subscribed, a range is sent once to all subscribers.
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
	// The text of a seed is not sent to all, because it may be longer than the content. Chunks of an
	// incomplete content are not sent to all, because most other nodes already have these chunks.
	const unit =
		of.of === 'seed' || !content.have.isFull
			? undefined
			: sharedUnits(content.seed.layout, range, mostPart);
	if (unit === undefined) {
		return { range, isPrivate: true };
	}
	const { first, last, whole } = unit;
	const delivery = fanOut.deliveryOf(id, from, first, of.heard);
	// Several blocks answer a request only if they came in one message.
	const isWhole = !unit.areBlocks || fanOut.messageWith(id, first) === fanOut.messageWith(id, last);
	if (delivery === 'answered' && isWhole) {
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

/** The bytes that go to all subscribers when one of them requests a range. */
interface SharedUnits {
	/** Numbers of the first and the last chunk or block. */
	readonly first: number;
	readonly last: number;
	/** Whether they are blocks of chunks. */
	readonly areBlocks: boolean;
	/** The bytes of these chunks or blocks. */
	readonly whole: ByteRange;
}

/**
 * The units that contain `range` and that other subscribers can use too: the chunks that `range`
 * touches or, if chunks are larger, blocks. Undefined if they have more than `mostPart` bytes.
 */
function sharedUnits(layout: Layout, range: ByteRange, mostPart: number): SharedUnits | undefined {
	const [offset, length] = range;
	const first = unitAt(layout, offset, mostPart);
	const last = unitAt(layout, offset + length - 1, mostPart);
	const block = blockIn(layout, mostPart);
	const start = block === undefined ? layout.offsetOf(first) : first * block;
	const end =
		block === undefined
			? layout.offsetOf(last) + layout.sizeOf(last)
			: Math.min((last + 1) * block, layout.length);
	const whole = [start, end - start] as const;
	return end - start <= mostPart
		? { first, last, areBlocks: block !== undefined, whole }
		: undefined;
}

/** The number of the chunk at `offset`, or of the block if chunks are larger than blocks. */
export function unitAt(layout: Layout, offset: number, mostPart: number): number {
	const block = blockIn(layout, mostPart);
	return block === undefined ? layout.chunkAt(offset) : Math.floor(offset / block);
}

/**
 * Bytes of a block; undefined if chunks are no larger. Blocks are small, so that a seeder with a thin
 * link need not send much more than was requested.
 */
function blockIn({ chunkSize }: Layout, mostPart: number): number | undefined {
	const block = 2 ** Math.floor(Math.log2(Math.min(mostPart, PORTABLE_PART)));
	return chunkSize > block ? block : undefined;
}

function isInside([offset, length]: ByteRange, [start, size]: ByteRange): boolean {
	return offset >= start && offset + length <= start + size;
}
