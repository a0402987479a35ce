import * as assert from 'uvu/assert';
import { WarmReads } from '../../../node/storage/warm-reads.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('synchronous reads');
const KIB = 1024;
const MIB = 1024 * KIB;
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('continue while they are quick', () => {
	const reads = new WarmReads(() => undefined);
	reads.onRead(3, 10, KIB);
	assert.ok(reads.isWarm(10));
});

test('pause after a slow read; each pause is twice as long as the last one', async () => {
	const reads = new WarmReads(() => undefined);
	reads.onRead(5, 0, KIB);
	await nextTurn();
	assert.not.ok(reads.isWarm(999));
	assert.ok(reads.isWarm(1_000));
	reads.onRead(50, 1_000, KIB);
	await nextTurn();
	assert.not.ok(reads.isWarm(2_999));
	assert.ok(reads.isWarm(3_000));
	for (let index = 0; index < 20; index += 1) {
		reads.onRead(50, 0, KIB);
	}
	await nextTurn();
	assert.not.ok(reads.isWarm(299_999));
	assert.ok(reads.isWarm(300_000));
});

test('continue after a slow read that has waited for a core, not for the disk', async () => {
	let count = 7;
	const reads = new WarmReads(() => count);
	reads.onRead(19, 0, KIB);
	await nextTurn();
	assert.ok(reads.isWarm(0));
	count += 1;
	reads.onRead(5, 10, KIB);
	await nextTurn();
	assert.not.ok(reads.isWarm(1_009));
	assert.ok(reads.isWarm(1_010));
	reads.onRead(5, 1_010, KIB);
	assert.ok(reads.isWarm(1_010), 'the read from the disk counts once');
});

test('pause after a very slow read even if the system has counted no wait for a disk', async () => {
	const reads = new WarmReads(() => 7);
	reads.onRead(21, 0, KIB);
	await nextTurn();
	assert.not.ok(reads.isWarm(999));
});

test('pause if reads are slow on average, though each is quick and the system counts no read from a disk', async () => {
	for (const [took, bytes, files, isWarm] of [
		[0.4, MIB, 1, true],
		[5.5, MIB, 1, true],
		[8.5, MIB, 1, false],
		[2.4, MIB / 4, 1, false],
		[0.3, 8 * KIB, 1, true],
		[5, 512 * KIB, 64, true],
		[0.8, 8 * KIB, 1, false],
	] as const) {
		const reads = new WarmReads(() => 7);
		for (let count = 0; count < 150; count += 1) {
			reads.onRead(took, 0, bytes, files);
		}
		await nextTurn();
		assert.is(reads.isWarm(0), isWarm, `${took} ms for ${bytes} bytes`);
	}
});

test('a pause is short again after quick reads', async () => {
	const reads = new WarmReads(() => undefined);
	for (let count = 0; count < 5; count += 1) {
		reads.onRead(5, 0, MIB);
	}
	for (let count = 0; count < 100; count += 1) {
		reads.onRead(0.2, 100_000, MIB);
	}
	reads.onRead(5, 100_000, MIB);
	await nextTurn();
	assert.not.ok(reads.isWarm(100_999));
	assert.ok(reads.isWarm(101_000));
});

test('after 10 ms of reads in one turn of the event loop, the next reads go to the thread pool', async () => {
	const reads = new WarmReads(() => 7);
	for (let count = 0; count < 25; count += 1) {
		assert.ok(reads.isWarm(0));
		reads.onRead(0.4, 0, MIB);
	}
	assert.not.ok(reads.isWarm(0));
	await nextTurn();
	assert.ok(reads.isWarm(0));
});

test.run();
