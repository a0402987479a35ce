import * as assert from 'uvu/assert';
import { BusyLoop } from '../../../node/chunk-writer/busy-loop.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('load of the event loop');

/** A load with a clock and a usage that the test sets. */
function load() {
	const at = { now: 0, cpu: 0, preemptions: 0 };
	const loop = new BusyLoop(
		() => at.now,
		() => ({ ...at }),
	);
	/**
	 * `ms` pass, in which the process uses `cpu` ms of processor time and loses its core `preemptions`
	 * times; then a piece of work ends.
	 */
	const pass = (ms: number, cpu: number, work = 1, preemptions = 0): boolean => {
		at.now += ms;
		at.cpu += cpu;
		at.preemptions += preemptions;
		loop.worked(work);
		return loop.isBusy;
	};
	return pass;
}

test('it is busy if the process uses a whole core', () => {
	const pass = load();
	assert.not(pass(50, 50), 'too early to tell');
	assert.ok(pass(60, 58));
});

test('it is not busy if the process waits for the network, or for a core', () => {
	const pass = load();
	for (let step = 0; step < 50; step += 1) {
		assert.not(pass(20, 2, 1), 'the network is slow');
	}
	for (let step = 0; step < 50; step += 1) {
		assert.not(pass(20, 6, 15), 'other processes use the cores');
	}
	for (let step = 0; step < 50; step += 1) {
		assert.not(pass(110, 8, 80, 1), 'many other processes use the cores');
	}
});

test('it is busy if the work waits for a slow disk', () => {
	const pass = load();
	assert.not(pass(60, 2, 55), 'too early to tell');
	assert.ok(pass(60, 2, 55));
});

test('a load of more than a second ago does not count', () => {
	const pass = load();
	assert.ok(pass(110, 110));
	assert.ok(pass(900, 10));
	assert.not(pass(200, 10));
});

test('each measurement begins where the one before has ended', () => {
	const pass = load();
	assert.ok(pass(100, 1, 60));
	assert.ok(pass(900, 10));
	assert.not(pass(200, 10));
	assert.not(pass(100, 10, 40), 'the work');
	assert.ok(pass(100, 100), 'the time, and the processor time');
});

test.run();
