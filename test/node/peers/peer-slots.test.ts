import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { PeerSlots, type SlotHolder } from '../../../node/peers/peer-slots.ts';
import { furthestOf, hashId } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('PeerSlots');
const SELF = 'myself-01';
const PLACES = 10;
const USELESS = 10_000;

/** Node ids, the one that loses its slot last to all others first. */
const byDistance: string[] = [];
for (
	let left = Array.from({ length: 40 }, (_, n) => `node-${String(n).padStart(4, '0')}`);
	left.length > 0;
) {
	const furthest = furthestOf(hashId(SELF), left);
	byDistance.unshift(furthest);
	left = left.filter((id) => id !== furthest);
}

function seat(ids: readonly string[], changes: Partial<SlotHolder> = {}): Map<string, SlotHolder> {
	return new Map(ids.map((id) => [id, { sentAt: 0, isComplete: false, reply: true, ...changes }]));
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
		seated.set(node, { sentAt: now, isComplete: false, reply: true });
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

test('the seeder that the tracker assigns to this node gets a slot, unless another peer is complete', () => {
	const places = new PeerSlots(SELF);
	const near = byDistance.slice(0, 10);
	const far = byDistance[20] as string;
	const complete = { isComplete: true };
	assert.equal(places.slotFor(far, seat(near), 1, complete), { isThere: false });
	const about = { ...complete, isAssigned: true };
	const leaves = near[9] as string;
	assert.equal(places.slotFor(far, seat(near), 1, about), { isThere: true, leaves });
	const seated = new Map([
		...seat(near.slice(0, 9)),
		...seat([byDistance[30] as string], complete),
	]);
	assert.equal(places.slotFor(far, seated, 1, about), { isThere: false });
});

test('a complete peer that sends keeps its slot; a partial peer loses it to a nearer node', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(-10), { isComplete: true });
	assert.equal(places.slotFor(byDistance[0] as string, seated, 1), { isThere: false });
	const lacking = byDistance[20] as string;
	seated.delete(byDistance.at(-10) as string);
	seated.set(lacking, { sentAt: 0, isComplete: false, reply: true });
	assert.equal(places.slotFor(byDistance[0] as string, seated, 1), {
		isThere: true,
		leaves: lacking,
	});
});

test('a peer that sent nothing for ten seconds loses its slot to any node, and gets only a free slot back', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(1, 11), { sentAt: 5_000 });
	const [, idle, other] = byDistance as [string, string, string];
	seated.set(idle, { sentAt: 0, isComplete: true, reply: true });
	seated.set(other, { sentAt: 5_000, isComplete: true, reply: true });
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
	seated.set(seeder, { sentAt: 0, isComplete: true, reply: true });
	const others = byDistance.slice(PLACES);
	for (const node of others.slice(0, PLACES - 1)) {
		assert.ok(sit(places, seated, node, USELESS), 'in place of a partial peer');
	}
	assert.ok(seated.has(seeder));
	assert.not(sit(places, seated, partial[0] as string, USELESS * 2), 'it sent nothing before');
	assert.ok(sit(places, seated, others[PLACES] as string, USELESS * 2));
	assert.ok(seated.has(seeder));
});

test('whatever the order in which nodes come, the same ten hold the slots in the end', () => {
	const order = fc.shuffledSubarray(byDistance, { minLength: PLACES, maxLength: 30 });
	const settled = (nodes: readonly string[]): string[] => {
		const places = new PeerSlots(SELF);
		const seated = new Map<string, SlotHolder>();
		for (let isNew = true; isNew; ) {
			isNew = nodes.filter((id) => !seated.has(id) && sit(places, seated, id, 0)).length > 0;
			assert.ok(seated.size <= PLACES);
		}
		return [...seated.keys()].sort();
	};
	fc.assert(
		fc.property(order, (nodes) => {
			assert.equal(settled(nodes), settled(nodes.toSorted()));
		}),
	);
});

test('each node of a swarm is a peer of about as many nodes as it has peers', () => {
	for (const size of [16, 40, 100]) {
		const nodes = Array.from({ length: size }, (_, n) => `swarm-${size}-${n}`);
		const uses = new Map<string, number>(nodes.map((id) => [id, 0]));
		for (const self of nodes) {
			const places = new PeerSlots(self);
			const seated = new Map<string, SlotHolder>();
			for (const id of [...nodes, ...nodes].filter((each) => each !== self)) {
				if (!seated.has(id)) {
					sit(places, seated, id, 0);
				}
			}
			for (const id of seated.keys()) {
				uses.set(id, (uses.get(id) ?? 0) + 1);
			}
		}
		const counts = [...uses.values()].sort((a, b) => a - b);
		assert.ok((counts[0] as number) >= 8, `${size}: ${counts}`);
		assert.ok((counts.at(-1) as number) <= 13, `${size}: ${counts}`);
	}
});

test('before this node requests bytes, and for ten seconds after, no peer counts as idle', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(0, PLACES));
	const far = byDistance[30] as string;
	const at = (now: number, since: number) => places.slotFor(far, seated, now, { since }).isThere;
	assert.not(at(100_000, 100_000));
	assert.not(at(100_000 + USELESS - 1, 100_000));
	assert.ok(at(100_000 + USELESS, 100_000));
});

test('a complete peer that was idle is tried again after half a minute, but in place of an idle one only', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(0, PLACES));
	const [idle] = byDistance as [string];
	const far = byDistance[30] as string;
	assert.equal(places.slotFor(far, seated, USELESS), { isThere: true, leaves: idle });
	seated.delete(idle);
	seated.set(far, { sentAt: USELESS, isComplete: false, reply: true });
	const [next] = seated.keys();
	const about = { isComplete: true };
	assert.equal(places.slotFor(idle, seated, USELESS + 29_999, about), { isThere: false });
	const sending = seat([...seated.keys()], { sentAt: USELESS + 30_000 });
	assert.equal(places.slotFor(idle, sending, USELESS + 30_000, about), { isThere: false });
	assert.equal(places.slotFor(idle, seated, USELESS + 30_000), { isThere: false }, 'partial');
	const again = places.slotFor(idle, seated, USELESS + 30_000, about);
	assert.equal(again, { isThere: true, leaves: next });
});

test('T30: a silent peer loses its slot at once to a new node, but not to another silent node', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(0, PLACES), { isComplete: true });
	const [, silent, other] = byDistance as [string, string, string];
	const isSilent = (id: string): boolean => id === silent || id === other;
	assert.equal(places.slotFor('new-0001', seated, 0, { isSilent }), {
		isThere: true,
		leaves: silent,
	});
	assert.equal(places.slotFor(other, seated, 0, { isSilent }), { isThere: false });
});

test('a peer that lost its slot because it was slow to answer has it back after its answer', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(0, PLACES));
	const [near] = byDistance as [string];
	const far = byDistance[30] as string;
	const isSlow = (id: string): boolean => id === near;
	assert.equal(places.slotFor(far, seated, 1, { isSilent: isSlow }), {
		isThere: true,
		leaves: near,
	});
	seated.delete(near);
	seated.set(far, { sentAt: 1, isComplete: false, reply: true });
	assert.equal(places.slotFor(near, seated, 2, { isSilent: isSlow }), { isThere: false });
	assert.equal(places.slotFor(near, seated, 3), { isThere: true, leaves: far });
});

test('a complete peer that has not answered takes no slot from the only one that has', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(0, PLACES), { sentAt: USELESS });
	const [claims, answers] = byDistance as [string, string];
	seated.set(claims, { sentAt: 0, isComplete: true, reply: undefined });
	seated.set(answers, { sentAt: 0, isComplete: true, reply: true });
	assert.equal(places.slotFor(byDistance[30] as string, seated, USELESS), { isThere: false });
});

test('T30: among complete peers of which none has answered, a silent one gives way to a complete node', () => {
	const places = new PeerSlots(SELF);
	const seated = seat(byDistance.slice(0, PLACES), { isComplete: true, reply: undefined });
	const [, silent] = byDistance as [string, string];
	const about = { isSilent: (id: string): boolean => id === silent };
	const far = byDistance[30] as string;
	assert.equal(places.slotFor(far, seated, 0, about), { isThere: false }, 'it may lack all chunks');
	const complete = { ...about, isComplete: true };
	assert.equal(places.slotFor(far, seated, 0, complete), { isThere: true, leaves: silent });
	seated.set(silent, { sentAt: 0, isComplete: true, reply: true });
	assert.equal(places.slotFor(far, seated, 0, complete), { isThere: false }, 'the only seeder');
});

test.run();
