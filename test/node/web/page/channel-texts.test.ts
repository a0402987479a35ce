import * as assert from 'uvu/assert';
import type {
	ChannelRow,
	DocumentFacts,
	FollowerCell,
} from '../../../../node/web/channel-messages.ts';
import {
	recipientsText,
	sentenceOf,
	standingText,
	warningsOf,
} from '../../../../node/web/page/channel-texts.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the texts about channels');
const facts: DocumentFacts = {
	...{
		name: 'lab',
		block: 0,
		seq: 1,
		published: 0,
		until: 1,
		expiry: 'valid',
		seed: 'ab'.repeat(32),
	},
	...{ to: [], others: undefined },
};

test('the recipients of a version are named', () => {
	assert.is(recipientsText(facts), 'everybody');
	assert.is(recipientsText({ ...facts, seed: undefined }), 'nobody');
	const to = [
		{ group: 'lab-2', percent: 100 },
		{ group: '*', percent: 5 },
	];
	assert.is(
		recipientsText({ ...facts, to }),
		'the group lab-2, 5 % of all; others keep their version',
	);
	const others = 'cd'.repeat(32);
	assert.match(recipientsText({ ...facts, to, others }), /others get an older version$/);
});

test('versions after a rotation of the keys are told apart from those before it', () => {
	const cell: FollowerCell = {
		...{ node: 'node-aa', groups: [], standing: 'behind', isOn: false, block: 0, seq: 2 },
		...{ percent: 32, kept: 0, paths: [], at: '2026-11-30T20:41:03.134Z' },
	};
	assert.is(standingText(cell), 'reported version 2');
	assert.match(sentenceOf({ ...cell, block: 1 }), 'Its last receipt is of version 1.2.');
});

test('refused messages, two publishers and an expired document are warnings', () => {
	const row: ChannelRow = {
		...{ id: 'ab'.repeat(32), isOpening: false, refusals: [], hasTwins: false },
		counts: { all: 0, current: 0, fetching: 0, waiting: 0, failed: 0, kept: 0 },
		document: facts,
	};
	assert.equal(warningsOf(row), []);
	const [forged = '', older, twins = '', expired = ''] = warningsOf({
		...row,
		refusals: [
			{ reason: 'forged', count: 2, from: 'node-aa', name: 'evil' },
			{ reason: 'older', count: 1, from: 'node-bb' },
		],
		hasTwins: true,
		document: { ...facts, expiry: 'expired' },
	});
	assert.match(
		forged,
		/^2 forged messages were refused, the last one from evil .*: the signature is wrong/,
	);
	assert.is(older, '1 older document from node-bb was refused: a newer one is known.');
	assert.match(twins, /^Two publishers/);
	assert.match(expired, /has expired/);
	const [clocks = ''] = warningsOf({ ...row, document: { ...facts, expiry: 'unknown' } });
	assert.match(clocks, /differ by more than a day.* Set the clocks\.$/);
});

test.run();
