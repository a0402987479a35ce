import * as assert from 'uvu/assert';
import { brokerPolicy, FanOut } from '../../../node/seeding/fan-out.ts';
import { type QueuedRange, RequestQueue } from '../../../node/seeding/request-queue.ts';

import { directPolicy, SentCounts } from '../../../node/seeding/sent-counts.ts';
import type { UploadItem } from '../../../node/seeding/upload-lane.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield, type ByteRange } from '../../../protocol/index.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('send policies of the lanes');

const CHUNK = 512;
const seed = seedOf(contentOf(CHUNK * 4), { chunkSize: CHUNK });
const storage = new MemoryStorage(seed.length);
const content = { seed, storage, have: Bitfield.full(seed.chunks) };

function item(
	range: ByteRange,
	{ from = 'first', of = { of: 'content', content } as UploadItem } = {},
): QueuedRange<UploadItem> {
	return { from, request: 1n, range, of };
}

test('the policy of a direct lane sends private answers, and chunks that were sent least often first', () => {
	const { answer, cost = () => 0 } = directPolicy(new SentCounts());
	const queue = new RequestQueue<UploadItem>(10);
	assert.is(cost(item([0, CHUNK])), 0);
	assert.equal(answer(item([0, 100]), queue), { range: [0, 100], isPrivate: true });
	assert.is(cost(item([0, CHUNK])), 0, 'the end of the chunk has not been sent');
	answer(item([100, CHUNK]), queue);
	assert.is(cost(item([0, CHUNK])), 1);
	assert.is(cost(item([CHUNK, CHUNK])), 0);
	assert.is(cost(item([0, 10], { of: { of: 'seed', content } })), -1);
});

test('the policy of the broker lane sends whole chunks once to all subscribers, and no chunk again', () => {
	const fanOut = new FanOut(() => 0);
	const { answer } = brokerPolicy(fanOut, () => CHUNK * 2);
	const queue = new RequestQueue<UploadItem>(10);
	assert.equal(answer(item([0, CHUNK]), queue), { range: [0, CHUNK], isPrivate: true });
	fanOut.asked(seed.id, 'first', true);
	fanOut.asked(seed.id, 'second', true);
	queue.add(item([CHUNK, 10], { from: 'second' }));
	queue.add(item([CHUNK * 2, 10], { from: 'second' }));
	queue.add(item([CHUNK, 10], { from: 'deaf' }));
	assert.equal(answer(item([10, CHUNK]), queue), { range: [0, CHUNK * 2], isPrivate: false });
	const left = [queue.take(), queue.take(), queue.take()].map((each) => each?.from);
	assert.equal(left, ['second', 'deaf', undefined]);
	assert.is(answer(item([CHUNK, CHUNK], { from: 'second' }), queue), undefined);
	const heard = fanOut.messageWith(seed.id, 0);
	const again = item([0, CHUNK], { from: 'second', of: { of: 'content', content, heard } });
	assert.equal(answer(again, queue), { range: [0, CHUNK], isPrivate: true }, 'it was lost');
	const tooLarge = item([CHUNK * 2 - 1, CHUNK + 2]);
	assert.equal(answer(tooLarge, queue), { range: tooLarge.range, isPrivate: true });
	const body = item([0, 10], { of: { of: 'seed', content } });
	assert.equal(answer(body, queue), { range: [0, 10], isPrivate: true });
});

test('of a chunk larger than a part, the requested block is sent once to all subscribers', () => {
	const fanOut = new FanOut(() => 0);
	const { answer } = brokerPolicy(fanOut, () => 300);
	const queue = new RequestQueue<UploadItem>(10);
	fanOut.asked(seed.id, 'first', true);
	fanOut.asked(seed.id, 'second', true);
	queue.add(item([CHUNK + 256, 256], { from: 'second' }));
	queue.add(item([CHUNK, 256], { from: 'second' }));
	const asked = item([CHUNK + 256, 128]);
	assert.equal(answer(asked, queue), { range: [CHUNK + 256, 256], isPrivate: false });
	assert.equal(queue.take()?.range, [CHUNK, 256]);
	assert.is(queue.take(), undefined);
	assert.is(answer(item([CHUNK + 256, 256], { from: 'second' }), queue), undefined);
	const ofTwo = item([CHUNK + 200, 100]);
	assert.equal(answer(ofTwo, queue), { range: ofTwo.range, isPrivate: true });
});

test('a request for several blocks is answered by one message with all of them', () => {
	const size = 1024 * 1024;
	const block = size / 4;
	const large = seedOf(contentOf(2 * size), { chunkSize: size });
	const of = {
		of: 'content',
		content: { seed: large, storage, have: Bitfield.full(large.chunks) },
	} as UploadItem;
	const fanOut = new FanOut(() => 0);
	const { answer } = brokerPolicy(fanOut, () => size);
	const queue = new RequestQueue<UploadItem>(10);
	fanOut.asked(large.id, 'first', true);
	fanOut.asked(large.id, 'second', true);
	assert.equal(answer(item([10, 10], { of }), queue), { range: [0, block], isPrivate: false });
	const second = (length: number) => item([0, length], { of, from: 'second' });
	assert.equal(answer(second(2 * block), queue), { range: [0, 2 * block], isPrivate: false });
	assert.is(answer(item([0, 2 * block], { of }), queue), undefined, 'it crossed that message');
	const again = { range: [0, 2 * block] as const, isPrivate: true };
	assert.equal(answer(item([0, 2 * block], { of }), queue), again);
});

test('a node with a partial content sends only private answers', () => {
	const fanOut = new FanOut(() => 0);
	fanOut.asked(seed.id, 'first', true);
	fanOut.asked(seed.id, 'second', true);
	const partly = { ...content, have: new Bitfield(seed.chunks) };
	const asked = item([0, CHUNK], { of: { of: 'content', content: partly } });
	const queue = new RequestQueue<UploadItem>(10);
	const { answer } = brokerPolicy(fanOut, () => CHUNK);
	assert.equal(answer(asked, queue), { range: [0, CHUNK], isPrivate: true });
});

test.run();
