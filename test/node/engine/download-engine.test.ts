import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { suite } from '../../helpers/harness/suite.ts';
import { checkEngine } from '../../helpers/simulation/check-engine.ts';
import { makeEngine } from '../../helpers/simulation/make-engine.ts';
import { type Behaviour, simulate } from '../../helpers/simulation/simulated-download.ts';

const test = suite('download engine');
const KIB = 1024;
const MIB = 1024 * KIB;
const LAN: Behaviour = { rate: 100 * MIB, latency: 1 };

test('one seeder is used at nearly its full rate', () => {
	const { ms, sent } = simulate({
		length: 256 * MIB,
		chunkSize: 256 * KIB,
		seeders: { one: LAN },
	});
	assert.is(sent, 256 * MIB);
	assert.ok((ms as number) < 2_560 * 1.1, `${ms} ms`);
});

test('four seeders are used in proportion to their rates', () => {
	const { ms, by, sent } = simulate({
		length: 256 * MIB,
		chunkSize: 256 * KIB,
		seeders: {
			a: { rate: 40 * MIB, latency: 1 },
			b: { rate: 30 * MIB, latency: 2 },
			c: { rate: 20 * MIB, latency: 5 },
			d: { rate: 10 * MIB, latency: 1 },
		},
	});
	assert.ok((ms as number) < 2_560 * 1.25, `${ms} ms`);
	assert.ok(sent <= 256 * MIB + 4 * MIB, `${sent - 256 * MIB} bytes sent twice`);
	assert.ok((by.get('a') as number) > 2.5 * (by.get('d') as number));
});

test('a link with a low rate and a long round trip is fully used', () => {
	const { ms } = simulate({
		length: 8 * MIB,
		chunkSize: 256 * KIB,
		seeders: { far: { rate: 625_000, latency: 150 } },
	});
	assert.ok((ms as number) < ((8 * MIB) / 625_000) * 1_000 * 1.1 + 600, `${ms} ms`);
});

test('over a link at the rate of a modem, a download completes and fetches little twice', () => {
	const { ms, sent } = simulate({
		length: 512 * KIB,
		chunkSize: 256 * KIB,
		seeders: { thin: { rate: 8_000, latency: 300 } },
	});
	assert.ok((ms as number) < ((512 * KIB) / 8_000) * 1_000 * 2.5, `${ms} ms`);
	assert.ok(sent < 512 * KIB * 2.5, `${sent} bytes sent`);
});

test('only lost parts are requested again, and soon', () => {
	const { ms, sent } = simulate({
		length: 64 * MIB,
		chunkSize: 256 * KIB,
		seeders: { lossy: { rate: 50 * MIB, latency: 2, loss: 0.02 } },
	});
	assert.ok((ms as number) < 1_280 * 2, `${ms} ms`);
	assert.ok(sent < 64 * MIB * 1.04, `${sent / MIB} MiB sent`);
});

test('over a thin link, ten fast sources send less than twice the content', () => {
	const fast = Array.from({ length: 10 }, (_, index) => [
		`${index}`,
		{ rate: 2 * MIB, latency: 30 },
	]);
	const down = 85 * KIB;
	const { ms, sent } = simulate({
		length: 4 * MIB,
		chunkSize: 256 * KIB,
		seeders: Object.fromEntries(fast),
		down,
	});
	assert.ok((ms as number) < ((4 * MIB) / down) * 1_000 * 2, `${ms} ms`);
	assert.ok(sent < 4 * MIB * 2, `${sent / MIB} MiB sent`);
});

test('a seeder that falls silent is replaced within its timeout', () => {
	const { ms, sent } = simulate({
		length: 128 * MIB,
		chunkSize: 256 * KIB,
		seeders: {
			a: { rate: 20 * MIB, latency: 1 },
			b: { rate: 20 * MIB, latency: 1 },
			frozen: { rate: 20 * MIB, latency: 1, silentFrom: 500 },
		},
	});
	// Three seeders send 30 MiB until one falls silent; two send the rest.
	const ideal = 500 + ((128 - 30) / 40) * 1_000;
	assert.ok((ms as number) < ideal + 1_000, `${ms} ms`);
	assert.ok(sent < 132 * MIB);
});

for (const [what, bad] of [
	['send slowly', { rate: 64 * KIB, latency: 1 }],
	['are silent', { ...LAN, silentFrom: 0 }],
] as const) {
	test(`a download of a few chunks does not wait for five nodes that ${what}, if another node answers`, () => {
		const seeders = { a: bad, b: bad, c: bad, d: bad, e: bad, good: LAN };
		const { ms } = simulate({ length: 2 * MIB, chunkSize: 256 * KIB, seeders });
		assert.ok((ms as number) < 150, `${ms} ms`);
		const four = simulate({ length: MIB, chunkSize: 256 * KIB, seeders });
		assert.ok((four.ms as number) < 500, `${four.ms} ms of four chunks`);
	});
}

test('a seeder that comes back is used again', () => {
	const { by } = simulate({
		length: 128 * MIB,
		chunkSize: 256 * KIB,
		seeders: {
			a: { rate: 10 * MIB, latency: 1 },
			pause: { rate: 40 * MIB, latency: 1, silentFrom: 200, silentUntil: 2_000 },
		},
	});
	assert.ok((by.get('pause') as number) > (by.get('a') as number));
});

test('a download waits for its only seeder', () => {
	const { ms, sent } = simulate({
		length: 32 * MIB,
		chunkSize: 256 * KIB,
		seeders: { only: { rate: 20 * MIB, latency: 1, silentFrom: 300, silentUntil: 20_000 } },
	});
	assert.ok((ms as number) < 20_000 + 10_000 + 1_600, `${ms} ms`);
	assert.ok(sent < 34 * MIB);
});

test('a liar is dropped after two bad chunks, and less than 4 MiB are sent in vain', () => {
	const { dropped, ms, sent } = simulate({
		length: 64 * MIB,
		chunkSize: 256 * KIB,
		seeders: { honest: LAN, liar: { ...LAN, lies: 1 } },
	});
	assert.ok(ms !== undefined);
	assert.equal([...dropped], ['liar']);
	assert.ok(sent < 64 * MIB + 4 * MIB, `${sent - 64 * MIB} bytes wasted`);
});

test('a node that sends every tenth part wrong is dropped, and the others send the rest', () => {
	const { dropped, ms } = simulate({
		length: 64 * MIB,
		chunkSize: 256 * KIB,
		seeders: { a: LAN, b: LAN, liar: { ...LAN, lies: 0.1 } },
	});
	assert.ok(ms !== undefined);
	assert.equal([...dropped], ['liar']);
});

test('a slow node does not delay the end of a download', () => {
	const { ms } = simulate({
		length: 64 * MIB,
		chunkSize: 4 * MIB,
		seeders: { fast: { rate: 50 * MIB, latency: 1 }, slow: { rate: 64 * KIB, latency: 50 } },
	});
	assert.ok((ms as number) < 1_280 * 1.6, `${ms} ms`);
});

test('two nodes with different halves of a content are used together', () => {
	const even = Array.from({ length: 128 }, (_, index) => index * 2);
	const odd = even.map((chunk) => chunk + 1);
	const { ms, by } = simulate({
		length: 64 * MIB,
		chunkSize: 256 * KIB,
		seeders: { even: { ...LAN, have: even }, odd: { ...LAN, have: odd } },
	});
	assert.ok(ms !== undefined);
	assert.equal([by.get('even'), by.get('odd')], [128, 128]);
});

test('several chunks that are smaller than a part are requested in one message', () => {
	const { ms, messages } = simulate({
		length: 4 * MIB,
		chunkSize: 512,
		seeders: { one: LAN },
	});
	assert.ok(ms !== undefined);
	assert.ok(messages < 100, `${messages} messages`);
});

test('from complete nodes, chunks are fetched nearly in order, apart from the first few', () => {
	const { order } = simulate({
		length: 64 * MIB,
		chunkSize: 256 * KIB,
		seeders: { a: LAN, b: { rate: 50 * MIB, latency: 3 } },
	});
	const late = order.slice(16);
	const lead = Math.max(...late.map((chunk, index) => chunk - 16 - index));
	assert.ok(lead <= 16, `${lead} chunks ahead`);
});

/**
 * Returns the chunks in their order of arrival from nodes that have `have`; one chunk is requested
 * at a time.
 */
function orderFrom(...have: ReadonlyArray<readonly number[] | undefined>): readonly number[] {
	const seeders = have.map((chunks, index): [string, Behaviour] => {
		return [`${index}`, { ...LAN, ...(chunks === undefined ? {} : { have: chunks }) }];
	});
	return simulate({
		length: 16 * MIB,
		chunkSize: 256 * KIB,
		seeders: Object.fromEntries(seeders),
		mostOutstanding: 256 * KIB,
	}).order;
}

function isAscending(order: readonly number[]): boolean {
	return order.every((chunk, index) => index === 0 || chunk > (order[index - 1] as number));
}

test('from complete nodes, a few random chunks are fetched first, and the rest in order', () => {
	const order = orderFrom(undefined);
	assert.not.ok(isAscending(order.slice(0, 4)), `${order}`);
	assert.ok(isAscending(order.slice(8)), `${order}`);
});

test('if one node is partial, the rarest chunks are fetched first', () => {
	assert.not.ok(isAscending(orderFrom(undefined, [1, 2, 3]).slice(8)));
	assert.not.ok(isAscending(orderFrom(undefined, []).slice(8)), 'also if it has no chunk');
});

test('the rarest chunks are fetched first', () => {
	const all = Array.from({ length: 64 }, (_, chunk) => chunk);
	const common = all.slice(0, 60);
	const { order } = simulate({
		length: 16 * MIB,
		chunkSize: 256 * KIB,
		seeders: {
			full: { rate: 10 * MIB, latency: 1, have: all },
			b: { rate: 1 * KIB, latency: 1, have: common },
			c: { rate: 1 * KIB, latency: 1, have: common },
		},
		mostOutstanding: 256 * KIB,
	});
	const ranks = [60, 61, 62, 63].map((chunk) => order.indexOf(chunk));
	assert.ok(Math.max(...ranks) < 12, `ranks ${ranks}`);
});

test('bytes are ignored if they were not requested, arrive late or twice, or have the wrong length', () => {
	const { engine } = simulate({ length: MIB, chunkSize: 256 * KIB, seeders: { one: LAN } });
	assert.is(engine.received('one', 1n, 0, 64 * KIB, 0), undefined);
	assert.is(engine.received('stranger', 1n, 0, 64 * KIB, 0), undefined);
	assert.is(engine.received('one', 99n, 0, 1, 0), undefined);
});

test('of a node that has all chunks, no further chunks are counted', () => {
	const engine = makeEngine({ chunks: 8, size: 1_024, nodes: ['seeder'] });
	const endless: Iterable<number> = {
		[Symbol.iterator]: () => {
			throw new Error('the chunks were read');
		},
	};
	assert.not(engine.nodeHas('seeder', endless));
});

test('whatever the other nodes do, the invariants hold, and a download from an honest node completes', () => {
	const behaviour = fc.record({
		rate: fc.integer({ min: 200 * KIB, max: 50 * MIB }),
		latency: fc.integer({ min: 0, max: 200 }),
		loss: fc.constantFrom(0, 0, 0.01, 0.1),
		lies: fc.constantFrom(0, 0, 0, 0.2),
		silentFrom: fc.constantFrom(undefined, undefined, 100, 1_000),
	});
	const honest = fc.constant({ rate: 5 * MIB, latency: 5 });
	fc.assert(
		fc.property(
			fc.record({ honest, a: behaviour, b: behaviour, c: behaviour }),
			fc.integer({ min: 1, max: 12 * MIB }),
			fc.constantFrom(512, 64 * KIB, 256 * KIB, 1 * MIB),
			fc.integer(),
			(seeders, length, size, seed) => {
				const chunkSize = length / size > 4_096 ? 64 * KIB : size;
				const { ms } = simulate({
					length,
					chunkSize,
					seeders: seeders as Record<string, Behaviour>,
					seed,
					check: checkEngine,
					onRequest: (engine, id) => {
						const node = engine.nodes.get(id);
						assert.ok(node !== undefined && node.outstanding < node.window.size + 256 * KIB);
					},
				});
				assert.ok(ms !== undefined, 'it completes');
			},
		),
		{ numRuns: 150 },
	);
});

test.run();
