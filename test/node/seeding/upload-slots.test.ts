import * as assert from 'uvu/assert';
import { LONGEST, UploadSlots } from '../../../node/seeding/upload-slots.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('UploadSlots');

const free = (): number => 0;

/** Seventeen lanes, one more than can send at the same time without waiting. */
const LANES = [...'abcdefghijklmnopq'];

/** Returns slots for which these lanes wait, in this order. */
function slotsFor(lanes: readonly string[], cost = free): UploadSlots<string> {
	const slots = new UploadSlots<string>();
	for (const lane of lanes) {
		slots.wait(lane, cost);
	}
	return slots;
}

test('sixteen lanes send at the same time', () => {
	const slots = slotsFor(LANES.slice(0, 16));
	assert.equal(slots.next(0), LANES.slice(0, 16));
	assert.not.ok(slots.areWaiting);
});

test('of seventeen lanes, three send at a time', () => {
	const slots = slotsFor(LANES);
	assert.equal(slots.next(0), ['a', 'b', 'c']);
	assert.ok(slots.areWaiting && slots.has('a') && !slots.has('d'));
	assert.equal(slots.next(0), []);
});

test('when a lane leaves, the next waiting lane gets its slot; a waiting lane that leaves gets none', () => {
	const slots = slotsFor([...LANES, 'r', 's']);
	slots.next(0);
	slots.leave('d');
	slots.leave('b');
	assert.equal(slots.next(1), ['e']);
	assert.ok(slots.has('e') && !slots.has('b') && !slots.has('d'));
});

test('when only sixteen lanes are left, all of them send', () => {
	const slots = slotsFor(LANES);
	slots.next(0);
	slots.leave('a');
	assert.equal(slots.next(1), LANES.slice(3));
});

test('the lane whose range has the lowest cost comes first', () => {
	const slots = slotsFor(LANES, () => 9);
	const costs = new Map([
		['f', 1],
		['g', 3],
		['h', 2],
	]);
	for (const lane of costs.keys()) {
		slots.wait(lane, () => costs.get(lane) as number);
	}
	costs.set('f', 4);
	assert.equal(slots.next(0), ['h', 'g', 'f']);
});

test('every sixteenth slot goes to the lane that has waited longest, whatever it costs', () => {
	const slots = slotsFor(['dear'], () => 9);
	for (const lane of LANES) {
		slots.wait(lane, free);
	}
	assert.equal(slots.next(0), ['a', 'b', 'c']);
	for (const [index, lane] of LANES.slice(0, 13).entries()) {
		slots.leave(lane);
		slots.wait(lane, free);
		assert.equal(slots.next(0), [index === 12 ? 'dear' : LANES[index + 3]]);
	}
});

test('while others wait, a lane keeps its slot after a chunk for 20 ms', () => {
	const slots = slotsFor(LANES);
	slots.next(1_000);
	assert.ok(slots.keeps('a', 1_019));
	assert.not.ok(slots.keeps('a', 1_020));
	for (const lane of LANES.slice(3)) {
		slots.leave(lane);
	}
	assert.ok(slots.keeps('a', 10_000), 'no lane waits');
	assert.not.ok(slots.keeps('d', 10_000), 'lane d has no slot');
});

test('a lane loses its slot after two seconds, but only if others wait', () => {
	const slots = slotsFor([...LANES, 'r', 's', 't']);
	slots.next(0);
	assert.equal(slots.next(LONGEST - 1), []);
	assert.equal(slots.next(LONGEST), ['d', 'e', 'f']);
	assert.ok(!slots.has('a') && slots.has('f'));
	const few = slotsFor(LANES.slice(0, 16));
	few.next(0);
	assert.equal(few.next(2 * LONGEST), []);
	assert.ok(few.has('a'));
});

test.run();
