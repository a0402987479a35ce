import type { ByteRange, Seed } from '../../protocol/index.ts';
import type { FanOut } from './fan-out.ts';
import type { QueuedRange, RequestQueue } from './request-queue.ts';
import type { SentCounts } from './sent-counts.ts';
import type { Answer, SendPolicy, UploadItem } from './upload-lane.ts';

/** On a direct lane: what has been sent least often goes first. A chunk has been sent when its end has. */
export function directPolicy(counts: SentCounts): SendPolicy {
	return {
		answer({ range, of }) {
			const { seed } = of.content;
			const [offset, length] = range;
			const [first, last] = of.of === 'content' ? chunksOf(seed, range) : [0, -1];
			for (let chunk = first; chunk <= last; chunk += 1) {
				if (seed.layout.offsetOf(chunk) + seed.layout.sizeOf(chunk) <= offset + length) {
					counts.sent(seed, chunk);
				}
			}
			return { range, isPrivate: true };
		},
		// A seed goes before any content.
		cost({ range, of }) {
			const { seed } = of.content;
			return of.of === 'seed' ? -1 : counts.count(seed, seed.layout.chunkAt(range[0]));
		},
	};
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
	// The text of a seed may be longer than its content. And a node that lacks chunks itself would share what
	// most others have.
	if (of.of === 'seed' || !content.have.isFull) {
		return { range, isPrivate: true };
	}
	const whole = wholeChunks(content.seed, range);
	// A piece of a chunk that is larger than a part is of use to the peer that asked for it only.
	if (whole[1] > mostPart) {
		return { range, isPrivate: true };
	}
	const [first, last] = chunksOf(content.seed, range);
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

/** The first and the last chunk of a range. */
function chunksOf({ layout }: Seed, [offset, length]: ByteRange): [first: number, last: number] {
	return [layout.chunkAt(offset), layout.chunkAt(offset + length - 1)];
}

/** The chunks that `range` touches, whole: what other peers can use as well. */
function wholeChunks(seed: Seed, range: ByteRange): ByteRange {
	const [first, last] = chunksOf(seed, range);
	const start = seed.layout.offsetOf(first);
	return [start, seed.layout.offsetOf(last) + seed.layout.sizeOf(last) - start];
}

function isInside([offset, length]: ByteRange, [start, size]: ByteRange): boolean {
	return offset >= start && offset + length <= start + size;
}
