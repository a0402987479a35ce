import * as assert from 'uvu/assert';
import { Fleet } from '../../../node/channel/fleet.ts';
import { encodeReceipt } from '../../../node/channel/receipt-sender.ts';
import {
	decodeReceipt,
	MOST_RECEIPT_BYTES,
	type Receipt,
	type Topic,
} from '../../../protocol/index.ts';
import { makeChannel } from '../../helpers/fixtures/channel-keys.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('fleet');
const { document, chain } = makeChannel();
const seed = document().seed as string;
const topicOf = (from: string): Extract<Topic, { kind: 'receipt' }> => ({
	kind: 'receipt',
	channel: chain.channel,
	from,
});
const receipt = (about: Partial<Receipt>): Receipt => ({
	...{ block: 0, seq: 1, seed, state: 'applied', percent: 100, kept: 0, groups: [] },
	...{ at: '2026-01-02T03:04:05Z', ...about },
});

test('the members are sorted by name, and judged by the newest document', () => {
	const fleet = new Fleet();
	for (const [from, about] of [
		['node-cc', { name: 'pc-2' }],
		['node-aa', { name: 'pc-1', seed: 'cd'.repeat(32) }],
		['node-bb', { name: 'pc-1', state: 'fetching', percent: 40, rate: 500, left: 1_001 }],
		['node-dd', { state: 'failed', code: 'ERR_NO_SPACE' }],
	] as const) {
		assert.ok(fleet.onReceipt(topicOf(from), encodeReceipt(receipt(about))));
	}
	const members = fleet.members(document());
	assert.equal(
		members.map(({ node, isCurrent, eta, code }) => [node, isCurrent, eta, code]),
		[
			['node-aa', false, undefined, undefined],
			['node-bb', false, 3, undefined],
			['node-cc', true, undefined, undefined],
			['node-dd', false, undefined, 'ERR_NO_SPACE'],
		],
	);
});

test('a malformed receipt is ignored, and an empty one is withdrawn', () => {
	const fleet = new Fleet();
	assert.not(fleet.onReceipt(topicOf('node-aa'), Uint8Array.of(1)));
	fleet.onReceipt(topicOf('node-aa'), encodeReceipt(receipt({})));
	assert.not(fleet.onReceipt(topicOf('node-aa'), Uint8Array.of(1)));
	assert.is(fleet.receipts.size, 1);
	assert.ok(fleet.onReceipt(topicOf('node-aa'), new Uint8Array()));
	assert.is(fleet.receipts.size, 0);
});

test('a receipt with long paths, groups and names fits, with as many paths as fit', () => {
	const text = encodeReceipt(
		receipt({
			name: '\u0001'.repeat(32),
			groups: Array.from({ length: 8 }, () => 'g'.repeat(32)),
			paths: Array.from({ length: 9 }, () => 'ü'.repeat(500)),
			kept: 9,
		}),
	);
	assert.ok(text.length <= MOST_RECEIPT_BYTES, `${text.length} bytes`);
	const { paths = [], kept } = decodeReceipt(text);
	assert.is(kept, 9);
	assert.ok(paths.length > 0 && paths.every((path) => path.length <= 64));
});

test.run();
