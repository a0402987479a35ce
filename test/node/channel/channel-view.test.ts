import * as assert from 'uvu/assert';
import { ChannelView, type Verdict } from '../../../node/channel/channel-view.ts';
import { type ChannelDocument, KeyChain } from '../../../protocol/index.ts';
import { makeChannel, newKeys, verify } from '../../helpers/fixtures/channel-keys.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('view of a channel');
const OTHER = 'cd'.repeat(32);

/** A view of a channel, by a clock that stands still until it is set. */
function viewOf(
	channel: string,
	known: Partial<ConstructorParameters<typeof ChannelView>[0]> = {},
) {
	const clock = { now: 0 };
	const view = new ChannelView({ channel, verify, now: () => clock.now, ...known });
	return { view, clock };
}

const kindsOf = (verdicts: readonly Verdict[]): string[] =>
	verdicts.map((verdict) => ('reason' in verdict ? verdict.reason : verdict.kind));

test('the newest document counts, in any order of arrival', () => {
	const { chain, document } = makeChannel();
	const { view } = viewOf(chain.channel);
	assert.equal(kindsOf(view.onKeys('node-a', chain.text)), ['keys']);
	assert.is(view.onDocument('node-a', document({ seq: 2 }).text).kind, 'newest');
	assert.equal(kindsOf([view.onDocument('node-b', document({ seq: 1 }).text)]), ['older']);
	assert.is(view.onDocument('node-b', document({ seq: 2 }).text).kind, 'copy');
	assert.is(view.onDocument('node-b', document({ seq: 3 }).text).kind, 'newest');
	assert.is(view.newest?.seq, 3);
});

test('documents that arrive before their keys are judged when the keys arrive', () => {
	const { chain, document } = makeChannel();
	const { view } = viewOf(chain.channel);
	assert.is(view.onDocument('node-a', document({ seq: 2 }).text).kind, 'nothing');
	assert.is(view.onDocument('node-b', makeChannel().document().text).kind, 'refused');
	assert.is(view.newest, undefined);
	assert.equal(kindsOf(view.onKeys('node-a', chain.text)), ['keys', 'newest']);
	assert.is(view.newest?.seq, 2);
});

test('forged and malformed documents and keys are refused, whoever sends them', () => {
	const { chain, document } = makeChannel();
	const { view } = viewOf(chain.channel);
	view.onKeys('node-a', chain.text);
	const forged = forge(document({ seq: 9 }));
	assert.equal(kindsOf([view.onDocument('node-b', forged)]), ['forged']);
	assert.equal(kindsOf([view.onDocument('node-b', Uint8Array.of(1, 2))]), ['malformed']);
	assert.equal(kindsOf([view.onDocument('node-b', makeChannel().document().text)]), ['malformed']);
	assert.equal(kindsOf(view.onKeys('node-b', makeChannel().chain.text)), ['forged']);
	assert.is(view.newest, undefined);
});

test('after a rotation, a thief of the old key is refused, whatever number it signs', () => {
	const channel = makeChannel(1);
	const { view } = viewOf(channel.chain.channel);
	const thief = channel.document({ block: 0, seq: Number.MAX_SAFE_INTEGER });
	const old = firstBlock(channel.chain);
	view.onKeys('node-a', old.text);
	assert.is(view.onDocument('node-b', thief.text).kind, 'newest');
	assert.equal(kindsOf(view.onKeys('node-a', channel.chain.text)), ['keys']);
	assert.is(view.onDocument('node-a', channel.document({ seq: 1 }).text).kind, 'newest');
	assert.equal(kindsOf([view.onDocument('node-b', thief.text)]), ['older']);
	assert.equal(kindsOf(view.onKeys('node-b', old.text)), ['older']);
});

test('keys that were rotated twice while a follower was off are taken, others are not', () => {
	const channel = makeChannel(2);
	const first = firstBlock(channel.chain);
	const { view } = viewOf(channel.chain.channel, { chain: first });
	assert.equal(kindsOf(view.onKeys('node-a', channel.chain.text)), ['keys']);
	const fork = makeChannel();
	const forked = fork.chain.rotate(newKeys(), fork.keys.signDrawer, verify);
	const { view: other } = viewOf(fork.chain.channel, {
		chain: fork.chain.rotate(newKeys(), fork.keys.signDrawer, verify),
	});
	assert.equal(kindsOf(other.onKeys('node-a', forked.text)), ['forged']);
});

test('a document that was known before a restart is not replaced by an older one', () => {
	const { chain, document } = makeChannel();
	const { view } = viewOf(chain.channel, { chain, newest: document({ seq: 5 }) });
	assert.equal(kindsOf([view.onDocument('node-a', document({ seq: 4 }).text)]), ['older']);
	assert.is(view.newest?.seq, 5);
});

test('two documents with one number are told, and all views agree on one of them', () => {
	const { chain, document } = makeChannel();
	const [one, two] = [document({ seq: 5 }), document({ seq: 5, seed: OTHER })];
	const winners = [
		[one, two],
		[two, one],
	].map((order) => {
		const { view } = viewOf(chain.channel, { chain });
		const verdicts = order.map(({ text }) => view.onDocument('node-a', text));
		assert.is(verdicts[1]?.kind, 'twin');
		return view.newest?.digest;
	});
	assert.is(winners[0], winners[1]);
	assert.is(winners[0], [one.digest, two.digest].sort()[0]);
});

test('a flood of forged documents costs 50 checks a second for each sender, and others are heard', () => {
	const { chain, document } = makeChannel();
	let checks = 0;
	const { view, clock } = viewOf(chain.channel, {
		chain,
		verify: (...args) => {
			checks += 1;
			return verify(...args);
		},
	});
	const forged = forge(document({ seq: 9 }));
	for (let count = 0; count < 1_000; count += 1) {
		view.onDocument('node-b', forged);
	}
	assert.is(checks, 50);
	assert.equal(kindsOf([view.onDocument('node-b', forged)]), ['flood']);
	assert.is(view.onDocument('node-a', document({ seq: 2 }).text).kind, 'newest');
	clock.now = 1_000;
	assert.equal(kindsOf([view.onDocument('node-b', forged)]), ['forged']);
});

test('a replay of an older document costs no check', () => {
	const { chain, document } = makeChannel();
	const { view } = viewOf(chain.channel, {
		chain,
		newest: document({ seq: 5 }),
		verify: () => assert.unreachable('a signature was verified') as never,
	});
	for (let seq = 1; seq < 5; seq += 1) {
		assert.equal(kindsOf([view.onDocument('node-b', document({ seq }).text)]), ['older']);
	}
});

/** A document with another number than the one that was signed. */
function forge({ text }: ChannelDocument): Uint8Array {
	return Buffer.from(Buffer.from(text).toString().replace('\n0 9\n', '\n0 8\n'));
}

function firstBlock({ text }: KeyChain): KeyChain {
	const end = Buffer.from(text).indexOf('shoal-keys 1', 1);
	return KeyChain.parse(text.subarray(0, end), verify);
}

test.run();
