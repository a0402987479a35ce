import type { PublishPacket } from 'aedes';
import * as assert from 'uvu/assert';
import { RetainedReceipts } from '../../../broker/channels/retained-receipts.ts';
import { Topics } from '../../../protocol/index.ts';
import { seedId as channelId } from '../../helpers/fixtures/registry.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('retained receipts');
const topics = new Topics();
const [ANN, BOB] = ['node-ann1', 'node-bob1'];
const LIMITS = { receipts: 100, nodeReceipts: 100, receiptTtl: 1_000 };

function store(receipts: RetainedReceipts, number: number, from: string, now = 0): boolean {
	const id = channelId(number);
	const payload = Buffer.from(`${now}`);
	const flags = { qos: 1, retain: true, dup: false } as const;
	const packet: PublishPacket = {
		cmd: 'publish',
		topic: topics.receipt(id, from),
		payload,
		...flags,
	};
	return receipts.store(id, from, packet, now);
}

const textsOf = (receipts: RetainedReceipts, number: number, from?: string): string[] =>
	receipts.of(channelId(number), from).map(({ payload }) => String(payload));

test('a node has one receipt for a channel, the last one, until it deletes it', () => {
	const receipts = new RetainedReceipts(LIMITS);
	store(receipts, 1, ANN, 1);
	store(receipts, 1, BOB, 2);
	store(receipts, 1, ANN, 3);
	store(receipts, 2, ANN, 4);
	assert.equal(textsOf(receipts, 1), ['3', '2']);
	assert.equal(textsOf(receipts, 1, BOB), ['2']);
	assert.equal(textsOf(receipts, 3), []);
	receipts.forget(topics.receipt(channelId(1), ANN));
	receipts.forget(topics.receipt(channelId(1), ANN));
	assert.equal(textsOf(receipts, 1), ['2']);
	assert.equal(textsOf(receipts, 1, ANN), []);
	assert.is(receipts.size, 2);
});

test('T29: no more receipts are retained than the limit of a node and that of all allow', () => {
	const receipts = new RetainedReceipts({ ...LIMITS, receipts: 3, nodeReceipts: 2 });
	assert.ok(store(receipts, 1, ANN));
	assert.ok(store(receipts, 2, ANN));
	assert.not.ok(store(receipts, 3, ANN));
	assert.ok(store(receipts, 1, BOB));
	assert.not.ok(store(receipts, 2, BOB), 'all together');
	assert.ok(store(receipts, 2, ANN), 'one that is there may change');
	receipts.forget(topics.receipt(channelId(1), ANN));
	assert.ok(store(receipts, 2, BOB));
	assert.is(receipts.size, 3);
});

test('a receipt is deleted when it was not stored again for the whole time', () => {
	const receipts = new RetainedReceipts({ ...LIMITS, nodeReceipts: 2 });
	store(receipts, 1, ANN, 0);
	store(receipts, 2, ANN, 10);
	store(receipts, 1, ANN, 500);
	receipts.expire(1_009);
	assert.is(receipts.size, 2);
	receipts.expire(1_010);
	assert.equal([textsOf(receipts, 1), textsOf(receipts, 2)], [['500'], []]);
	assert.ok(store(receipts, 3, ANN, 1_010), 'it does not count any more');
	receipts.expire(10_000);
	assert.is(receipts.size, 0);
});

test.run();
