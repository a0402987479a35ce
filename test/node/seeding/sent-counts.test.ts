import * as assert from 'uvu/assert';
import { Spread } from '../../../node/seeding/sent-counts.ts';
import { seedOf } from '../../helpers/fixtures/seeds.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('spread');
const seed = seedOf(new Uint8Array(300_000));

test('it knows how often each chunk was sent, until the seed is not served any more', () => {
	const spread = new Spread();
	assert.is(spread.count(seed, 1), 0);
	spread.sent(seed, 1);
	spread.sent(seed, 1);
	assert.is(spread.count(seed, 1), 2);
	assert.is(spread.count(seed, 0), 0);
	spread.forget(seed);
	assert.is(spread.count(seed, 1), 0);
});

test.run();
