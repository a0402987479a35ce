import * as assert from 'uvu/assert';
import { WarmReads } from '../../../node/storage/warm-reads.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('reads without a detour through the thread pool');

test('go on while they are quick', () => {
	const reads = new WarmReads();
	reads.onRead(3, 10);
	assert.ok(reads.isWarm(10));
});

test('pause after a slow one, twice as long each time', () => {
	const reads = new WarmReads();
	reads.onRead(5, 0);
	assert.not.ok(reads.isWarm(999));
	assert.ok(reads.isWarm(1_000));
	reads.onRead(50, 1_000);
	assert.not.ok(reads.isWarm(2_999));
	assert.ok(reads.isWarm(3_000));
	for (let index = 0; index < 20; index += 1) {
		reads.onRead(50, 0);
	}
	assert.not.ok(reads.isWarm(299_999));
	assert.ok(reads.isWarm(300_000));
});

test.run();
