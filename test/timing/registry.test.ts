import * as assert from 'uvu/assert';
import { makeCrowdedRegistry, seedId, status } from '../helpers/fixtures/registry.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';

const test = await timingSuite('registry');
const TURNS = 20;

test('with 100,000 announces a query, a page, an update and a sweep take at most 5 ms each', async () => {
	const { registry, nodes } = makeCrowdedRegistry();
	const mine = Array.from({ length: 100 }, (_, number) => seedId(number));
	const works: Record<string, () => unknown> = {
		query: () => registry.query(seedId(5)),
		page: () => registry.seeds(),
		update: () => registry.update(nodes[7] as string, status('session-7', mine)),
		sweep: () => registry.sweep(),
	};
	for (const [name, work] of Object.entries(works)) {
		await judge(name, { unit: 'ms', most: 5 }, async () => {
			const begun = performance.now();
			for (let slot = 0; slot < TURNS; slot += 1) {
				work();
			}
			return (performance.now() - begun) / TURNS;
		});
	}
	assert.is(registry.size.announces, 100_000);
});

test.run();
