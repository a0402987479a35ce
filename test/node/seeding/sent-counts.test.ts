import * as assert from 'uvu/assert';
import { SentCounts } from '../../../node/seeding/sent-counts.ts';
import { seedOf } from '../../helpers/fixtures/seeds.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('SentCounts');
const seed = seedOf(new Uint8Array(300_000));

test('it counts how often each chunk was sent, until forget removes the seed', () => {
	const sentCounts = new SentCounts();
	assert.is(sentCounts.count(seed, 1), 0);
	sentCounts.sent(seed, 1);
	sentCounts.sent(seed, 1);
	assert.is(sentCounts.count(seed, 1), 2);
	assert.is(sentCounts.count(seed, 0), 0);
	sentCounts.forget(seed);
	assert.is(sentCounts.count(seed, 1), 0);
});

test.run();
