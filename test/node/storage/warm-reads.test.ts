import * as assert from 'uvu/assert';
import { WarmReads } from '../../../node/storage/warm-reads.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('synchronous reads');

test('continue while they are quick', () => {
	const reads = new WarmReads(() => undefined);
	reads.onRead(3, 10);
	assert.ok(reads.isWarm(10));
});

test('pause after a slow read; each pause is twice as long as the last one', () => {
	const reads = new WarmReads(() => undefined);
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

test('continue after a slow read that has waited for a core, not for the disk', () => {
	let count = 7;
	const reads = new WarmReads(() => count);
	reads.onRead(19, 0);
	assert.ok(reads.isWarm(0));
	count += 1;
	reads.onRead(5, 10);
	assert.not.ok(reads.isWarm(1_009));
	assert.ok(reads.isWarm(1_010));
	reads.onRead(5, 1_010);
	assert.ok(reads.isWarm(1_010), 'the read from the disk counts once');
});

test('pause after a read from the disk, though it took no longer than a millisecond or two', () => {
	let count = 7;
	const reads = new WarmReads(() => count);
	count += 1;
	reads.onRead(0.9, 0);
	assert.ok(reads.isWarm(0));
	reads.onRead(1.5, 10);
	assert.not.ok(reads.isWarm(1_009));
});

test('pause after eight slow reads in a row, though the system has counted no read from a disk', () => {
	const reads = new WarmReads(() => 7);
	for (const took of [5, 5, 5, 5, 5, 5, 5, 0.2, 5, 5, 5, 5, 5, 5, 5]) {
		reads.onRead(took, 0);
		assert.ok(reads.isWarm(0));
	}
	reads.onRead(5, 0);
	assert.not.ok(reads.isWarm(999));
	assert.ok(reads.isWarm(1_000));
});

test('pause after a very slow read even if the system has counted no wait for a disk', () => {
	const reads = new WarmReads(() => 7);
	reads.onRead(21, 0);
	assert.not.ok(reads.isWarm(999));
});

test.run();
