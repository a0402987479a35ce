import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Demand } from '../../../node/engine/demand.ts';
import { seededRandom } from '../../helpers/harness/random.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { simulate } from '../../helpers/simulation/simulated-download.ts';

const test = suite('Demand');
const KIB = 1024;
const MIB = 1024 * KIB;
const LAN = { rate: 100 * MIB, latency: 1 };
const SIZES = { length: 64 * MIB, chunkSize: 256 * KIB };

test('the chunks of several readers alternate, for each reader in order', () => {
	const demand = new Demand();
	const [a, b] = [{}, {}];
	demand.set(a, { first: 10, count: 3 });
	demand.set(b, { first: 90, count: 1 });
	assert.equal([...demand.chunks()], [10, 90, 11, 12]);
	demand.set(a, { first: 12, count: 1 });
	assert.equal([...demand.chunks()], [12, 90]);
	demand.remove(b);
	assert.equal([demand.has(12), demand.has(90), demand.has(10)], [true, false, false]);
});

test('with the order demanded, only the demanded chunks are fetched, in order', () => {
	const demand = new Demand();
	demand.set({}, { first: 100, count: 20 });
	const { order } = simulate({
		...SIZES,
		seeders: { a: LAN, b: { rate: 50 * MIB, latency: 3 } },
		order: 'demanded',
		demand,
		deadline: 5_000,
	});
	assert.equal(
		[...order].sort((x, y) => x - y),
		Array.from({ length: 20 }, (_, index) => 100 + index),
	);
	const lead = Math.max(...order.map((chunk, index) => chunk - 100 - index));
	assert.ok(lead <= 16, `${lead} chunks ahead`);
});

test('with the order rarest, the demanded chunks are fetched first, and all others afterwards', () => {
	const demand = new Demand();
	demand.set({}, { first: 200, count: 8 });
	const { ms, order } = simulate({ ...SIZES, seeders: { a: LAN }, demand });
	assert.ok(ms !== undefined);
	assert.equal(
		order.slice(0, 8).sort((x, y) => x - y),
		[200, 201, 202, 203, 204, 205, 206, 207],
	);
});

test('the demanded chunks arrive within 5 s although one of two nodes stalls', () => {
	const demand = new Demand();
	demand.set({}, { first: 0, count: 8 });
	const { order } = simulate({
		...SIZES,
		seeders: { good: LAN, stalls: { ...LAN, silentFrom: 0 } },
		order: 'demanded',
		demand,
		deadline: 5_000,
	});
	assert.is(order.length, 8);
});

test('when a reader moves on, chunks that no other reader demands are not fetched any more', () => {
	fc.assert(
		fc.property(fc.integer(), (seed) => {
			const random = seededRandom(seed);
			const [demand, reader] = [new Demand(), {}];
			demand.set(reader, { first: 0, count: 16 });
			let steps = 0;
			const { order, engine } = simulate({
				...SIZES,
				seed,
				seeders: { a: LAN, b: { ...LAN, loss: 0.1 } },
				order: 'demanded',
				demand,
				deadline: 3_000,
				check: (running) => {
					steps += 1;
					if (steps === 5 + Math.floor(random() * 20)) {
						demand.set(reader, { first: 128, count: 4 });
						running.demandChanged();
					}
				},
			});
			if (demand.has(128)) {
				assert.equal(
					order.filter((chunk) => chunk >= 16).sort((x, y) => x - y),
					[128, 129, 130, 131],
				);
			}
			assert.is(engine.states.count('assigned'), 0);
		}),
		{ numRuns: 30 },
	);
});

test.run();
