import * as assert from 'uvu/assert';
import { LONGEST, UploadSlots } from '../../../node/seeding/upload-slots.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('UploadSlots');

const free = (): number => 0;

/** Slots for which the lanes wait, in this order. */
function slotsFor(lanes: string): UploadSlots<string> {
	const slots = new UploadSlots<string>();
	for (const lane of lanes) {
		slots.wait(lane, free);
	}
	return slots;
}

test('three lanes send at a time, the others wait', () => {
	const slots = slotsFor('abcde');
	assert.equal(slots.next(0), ['a', 'b', 'c']);
	assert.ok(slots.areWaiting && slots.has('a') && !slots.has('d'));
	assert.equal(slots.next(0), []);
});

test('a lane that leaves makes room for the next; one that waits no longer gets no slot', () => {
	const slots = slotsFor('abcdef');
	slots.next(0);
	slots.leave('d');
	slots.leave('b');
	assert.equal(slots.next(1), ['e']);
	assert.ok(slots.has('e') && !slots.has('b') && !slots.has('d'));
});

test('the lane whose range has the lowest cost comes first', () => {
	const slots = new UploadSlots<string>();
	const costs = new Map([
		['a', 5],
		['b', 1],
		['c', 3],
		['d', 2],
	]);
	for (const lane of costs.keys()) {
		slots.wait(lane, () => costs.get(lane) as number);
	}
	costs.set('b', 4);
	assert.equal(slots.next(0), ['d', 'c', 'b']);
});

test('every fourth slot goes to the lane that has waited longest, whatever it costs', () => {
	const slots = new UploadSlots<string>();
	slots.wait('dear', () => 9);
	const got: string[] = [];
	for (let turn = 0; turn < 4; turn += 1) {
		slots.wait(`cheap ${turn}`, () => 1);
		slots.wait(`cheap too ${turn}`, () => 1);
		for (const lane of slots.next(turn)) {
			got.push(lane);
			slots.leave(lane);
		}
	}
	assert.is(got.indexOf('dear'), 2);
});

test('while others wait, a lane keeps its slot after a chunk for 20 ms', () => {
	const slots = slotsFor('abcd');
	slots.next(1_000);
	assert.ok(slots.keeps('a', 1_019));
	assert.not.ok(slots.keeps('a', 1_020));
	slots.leave('d');
	assert.ok(slots.keeps('a', 10_000), 'nobody waits');
	assert.not.ok(slots.keeps('d', 10_000), 'it has none');
});

test('a lane that does not get ahead loses its slot after two seconds, but only if others wait', () => {
	const slots = slotsFor('abc');
	slots.next(0);
	assert.equal(slots.next(2 * LONGEST), []);
	assert.ok(slots.has('a'));
	slots.wait('d', free);
	assert.equal(slots.next(LONGEST - 1), []);
	assert.equal(slots.next(LONGEST), ['d']);
	assert.ok(!slots.has('a') && slots.has('b'), 'only one loses it');
});

test.run();
