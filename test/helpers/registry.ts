import { createHash } from 'node:crypto';
import { type Decision, Registry } from '../../broker/index.ts';
import { type Announce, type Limits, type NodeState, resolveLimits } from '../../protocol/index.ts';
import { type Clock, fakeClock, fakeRandom } from './clock.ts';

/** A registry with a clock that the test moves. */
export function makeRegistry(limits: Partial<Limits> = {}): { registry: Registry; clock: Clock } {
	const clock = fakeClock();
	const registry = new Registry({
		limits: resolveLimits(limits),
		now: clock.now,
		random: fakeRandom(),
	});
	return { registry, clock };
}

/** A registry of 100,000 announces by 1,000 nodes, and the ids of those. */
export function makeCrowdedRegistry(): { registry: Registry; nodes: readonly string[] } {
	const { registry } = makeRegistry();
	const nodes = Array.from({ length: 1_000 }, (_, number) => `node-${number}-of-many`);
	for (const [place, node] of nodes.entries()) {
		registry.nodeState(node, state(`session-${place}`), false);
		for (let number = 0; number < 100; number++) {
			// Half the nodes share the first 100 seeds, the others have their own.
			const seed = seedId(place < 500 ? number : place * 100 + number);
			const name = `file ${place} ${number}.bin`;
			registry.announce(seed, node, announce(`session-${place}`, { name }), false);
		}
	}
	return { registry, nodes };
}

/** The seed id that ends with `number`. */
export function seedId(number: number): string {
	return number.toString(16).padStart(64, '0');
}

/** An announce of a content of three chunks, with all of them unless told. */
export function announce(session: string, changes: Partial<Announce> = {}, have = 3): Announce {
	const map = 'f'.repeat(64);
	return {
		name: 'a file.bin',
		length: 1_500,
		chunks: 3,
		have: { count: have, map },
		ttl: 90_000,
		session,
		...changes,
	};
}

/** A node's state. */
export function state(
	session: string,
	what: NodeState['state'] = 'ready',
	addresses: readonly string[] = [],
): NodeState {
	return { state: what, session, addresses, up: 0, down: 0 };
}

/** What a node says of its seeds in an update. */
export function status(session: string, seeds: readonly string[]) {
	const text = [...seeds].sort().map((seed) => `${seed}\n`);
	const digest = createHash('sha256').update(text.join('')).digest('hex');
	return { session, count: seeds.length, digest };
}

/** The events among decisions. */
export function eventsOf(decisions: readonly Decision[]): string[] {
	return decisions.flatMap((each) => (each.do === 'event' ? [each.event.event] : []));
}

/** What is to be forgotten, `node` or `node seed`. */
export function forgottenOf(decisions: readonly Decision[]): string[] {
	return decisions.flatMap((each) => {
		if (each.do !== 'forget') {
			return [];
		}
		return each.what === 'announce' ? [`${each.node} ${each.seed}`] : [each.node];
	});
}
