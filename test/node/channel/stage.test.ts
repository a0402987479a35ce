import * as assert from 'uvu/assert';
import { judgeStage as judge } from '../../../node/channel/stage.ts';
import type { ChannelDocument, Receipt } from '../../../protocol/index.ts';
import { makeChannel } from '../../helpers/fixtures/channel-keys.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('stages');
const { document } = makeChannel();
const version = document({ seq: 2, to: [{ group: '*', percent: 25 }], others: 'cd'.repeat(32) });
const everybody = document({ seq: 2 });
const RULES = { stopAt: 2, least: 3 };
const judgeStage = (
	of: ChannelDocument,
	all: ReadonlyMap<string, Receipt>,
	rules: typeof RULES,
	isConnected = (_: string): boolean => true,
) => judge(of, all, rules, isConnected);

function receipt(state: Receipt['state'], about: Partial<Receipt> = {}): Receipt {
	const seed = version.seed as string;
	const at = '2026-01-02T03:04:05Z';
	return { block: 0, seq: 2, seed, state, percent: 0, kept: 0, at, groups: [], ...about };
}

function receipts(...states: ReadonlyArray<Receipt['state']>): Map<string, Receipt> {
	return new Map(states.map((state, at) => [`node-${at}`, receipt(state)]));
}

test('a stage is done when all in it have applied, and enough of them', () => {
	assert.is(judgeStage(everybody, receipts('applied', 'applied', 'applied'), RULES).next, 'next');
	assert.is(judgeStage(everybody, receipts('applied', 'applied', 'got'), RULES).next, 'wait');
	assert.is(judgeStage(everybody, receipts('applied', 'applied'), RULES).next, 'next');
	assert.is(judgeStage(everybody, new Map(), RULES).next, 'next');
});

test('a receipt of another version counts as waiting', () => {
	const old = new Map([['node-0', receipt('applied', { seed: 'cd'.repeat(32) })]]);
	const { next, waiting } = judgeStage(everybody, old, RULES);
	assert.equal([next, waiting], ['wait', 1]);
});

test('of 40 followers in a stage of 25 %, three fail: it stops, and says which and why', () => {
	const all = new Map(
		Array.from({ length: 40 }, (_, at) => [`node-${at}`, receipt('applied')] as const),
	);
	const inStage = judgeStage(version, all, RULES).applied;
	assert.ok(inStage > 3 && inStage < 20, `${inStage} of 40`);
	let failed = 0;
	for (const [node] of all) {
		const alone = judgeStage(version, new Map([[node, receipt('applied')]]), RULES);
		if (alone.applied === 1 && failed < 3) {
			failed += 1;
			all.set(node, receipt('failed', { code: 'EXIT_1', name: `pc-${node}` }));
		}
	}
	const decision = judgeStage(version, all, RULES);
	assert.is(decision.next, 'stop');
	assert.is(decision.failed, 3);
	const { reason } = decision as { reason: string };
	assert.match(reason, `3 of ${inStage} followers failed, which is more than 2 %: pc-node-`);
	assert.match(reason, '(EXIT_1)');
});

test('a follower that is not connected is not waited for, and counts again when it is back', () => {
	const all = receipts('applied', 'applied', 'applied', 'waiting');
	const off = judgeStage(everybody, all, RULES, (node) => node !== 'node-3');
	assert.equal([off.next, off.waiting, off.offline], ['next', 0, 1]);
	const back = judgeStage(everybody, all, RULES);
	assert.equal([back.next, back.waiting, back.offline], ['wait', 1, 0]);
	const gone = judgeStage(everybody, all, RULES, () => false);
	assert.equal([gone.next, gone.applied], ['next', 3]);
});

test('a stage that is done with too few who have applied it stops', () => {
	const rules = { stopAt: 50, least: 3 };
	const decision = judgeStage(everybody, receipts('applied', 'applied', 'failed'), rules);
	assert.is(decision.next, 'stop');
	assert.match((decision as { reason: string }).reason, 'only 2 of 3 have applied');
});

test('a few failures below the limit do not stop', () => {
	const mixed = receipts('applied', 'applied', 'applied', 'failed');
	assert.is(judgeStage(everybody, mixed, { stopAt: 25, least: 3 }).next, 'next');
	assert.is(judgeStage(everybody, mixed, { stopAt: 24, least: 3 }).next, 'stop');
});

test.run();
