import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { PeerSlots, type SlotHolder } from '../../../node/peers/peer-slots.ts';
import { distance, hashId } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('PeerSlots');
const SELF = 'myself-01';
const PLACES = 10;
const USELESS = 10_000;

function away(id: string): number {
	return distance(hashId(SELF), hashId(id));
}

/** Node ids, the one with the smallest distance to our own id first. */
const names = Array.from({ length: 40 }, (_, index) => `node-${String(index).padStart(4, '0')}`);
const byDistance = names.sort((a, b) => away(a) - away(b));

function seat(ids: readonly string[], changes: Partial<SlotHolder> = {}): Map<string, SlotHolder> {
	return new Map(ids.map((id) => [id, { sentAt: 0, isComplete: false, ...changes }]));
}

/** Gives `node` a slot if it can have one. @returns whether it got a slot */
function sit(
	places: PeerSlots,
	seated: Map<string, SlotHolder>,
	node: string,
	now: number,
): boolean {
	const { isThere, leaves } = places.slotFor(node, seated, now);
	if (leaves !== undefined) {
		assert.ok(seated.delete(leaves), 'only a holder loses its slot');
	}
	if (isThere) {
		seated.set(node, { sentAt: now, isComplete: false });
	}
	return isThere;
}

test('there are ten slots; while one is free, no peer loses its slot', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(-9));
	assert.equal(places.slotFor(byDistance[0] as string, seated, 1), { isThere: true });
});

test('a nearer node gets the slot of the furthest peer; a node further than all peers gets no slot', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(1, 11));
	assert.equal(places.slotFor(byDistance[11] as string, seated, 1), { isThere: false });
	const leaves = byDistance[10] as string;
	assert.equal(places.slotFor(byDistance[0] as string, seated, 1), { isThere: true, leaves });
});

test('a complete peer that sends keeps its slot; a partial peer loses it to a nearer node', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(-10), { isComplete: true });
	assert.equal(places.slotFor(byDistance[0] as string, seated, 1), { isThere: false });
	const lacking = byDistance[20] as string;
	seated.delete(byDistance.at(-10) as string);
	seated.set(lacking, { sentAt: 0, isComplete: false });
	assert.equal(places.slotFor(byDistance[0] as string, seated, 1), {
		isThere: true,
		leaves: lacking,
	});
});

test('a peer that sent nothing for ten seconds loses its slot to any node, and gets only a free slot back', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(1, 11), { sentAt: 5_000 });
	const [, idle, other] = byDistance as [string, string, string];
	seated.set(idle, { sentAt: 0, isComplete: true });
	seated.set(other, { sentAt: 5_000, isComplete: true });
	const far = byDistance[30] as string;
	assert.not(sit(places, seated, far, USELESS - 1));
	assert.ok(sit(places, seated, far, USELESS));
	assert.not(seated.has(idle));
	assert.not(sit(places, seated, idle, USELESS), 'although it is nearer than other peers');
	seated.delete(far);
	assert.ok(sit(places, seated, idle, USELESS));
});

test('the only complete peer keeps its slot, because its link may be thin', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(0, PLACES));
	const [seeder, ...partial] = byDistance as [string, ...string[]];
	seated.set(seeder, { sentAt: 0, isComplete: true });
	const others = byDistance.slice(PLACES);
	for (const node of others.slice(0, PLACES - 1)) {
		assert.ok(sit(places, seated, node, USELESS), 'in place of a partial peer');
	}
	assert.ok(seated.has(seeder));
	assert.not(sit(places, seated, partial[0] as string, USELESS * 2), 'it sent nothing before');
	assert.ok(sit(places, seated, others[PLACES] as string, USELESS * 2));
	assert.ok(seated.has(seeder));
});

test('whatever the order in which nodes come, the nearest ten hold the slots', () => {
	const order = fc.shuffledSubarray(byDistance, { minLength: 1 });
	const property = fc.property(order, (assembler) => {
		const places = new PeerSlots(SELF);
		const seated = new Map<string, SlotHolder>();
		for (const node of assembler) {
			sit(places, seated, node, 0);
			assert.ok(seated.size <= PLACES);
		}
		const nearest = byDistance.filter((id) => assembler.includes(id)).slice(0, PLACES);
		assert.equal([...seated.keys()].sort(), nearest.sort());
	});
	fc.assert(property);
});

test('T30: a silent peer loses its slot at once to a new node, but not to another silent node', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(0, PLACES), { isComplete: true });
	const [, silent, other] = byDistance as [string, string, string];
	const isSilent = (id: string): boolean => id === silent || id === other;
	assert.equal(places.slotFor('new-0001', seated, 0, isSilent), { isThere: true, leaves: silent });
	assert.equal(places.slotFor(other, seated, 0, isSilent), { isThere: false });
});

test.run();
