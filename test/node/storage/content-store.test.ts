import * as assert from 'uvu/assert';
import { type Holding, Holdings } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield } from '../../../protocol/index.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('Holdings');

function makeHolding(length = 2_000): Holding {
	const seed = seedOf(contentOf(length));
	return { seed, have: new Bitfield(seed.chunks), storage: new MemoryStorage(length) };
}

function makeHoldings() {
	const holdings = new Holdings();
	const events: string[] = [];
	holdings.on('added', ({ seed }) => events.push(`added ${seed.length}`));
	holdings.on('removed', ({ seed }) => events.push(`removed ${seed.length}`));
	holdings.on('gained', ({ seed }, chunk) => events.push(`gained ${seed.length} ${chunk}`));
	return { holdings, events };
}

test('what is added is found by its seed id, and told', () => {
	const { holdings, events } = makeHoldings();
	const holding = makeHolding();
	holdings.add(holding);
	assert.is(holdings.get(holding.seed.id), holding);
	assert.equal(holdings.all(), [holding]);
	assert.is(holdings.get('0'.repeat(64)), undefined);
	assert.equal(events, ['added 2000']);
});

test('a seed is held once', () => {
	const { holdings, events } = makeHoldings();
	const holding = makeHolding();
	holdings.add(holding);
	throwsCode('ERR_EXISTS', () => holdings.add(makeHolding()));
	assert.is(holdings.get(holding.seed.id), holding);
	assert.is(events.length, 1);
});

test('what is removed is gone and told once', () => {
	const { holdings, events } = makeHoldings();
	const holding = makeHolding();
	holdings.add(holding);
	holdings.remove(holding);
	holdings.remove(holding);
	assert.is(holdings.get(holding.seed.id), undefined);
	assert.equal(events, ['added 2000', 'removed 2000']);
});

test('removing the holding of before does not remove its successor', () => {
	const { holdings } = makeHoldings();
	const [before, after] = [makeHolding(), makeHolding()];
	holdings.add(before);
	holdings.remove(before);
	holdings.add(after);
	holdings.remove(before);
	assert.is(holdings.get(after.seed.id), after);
});

test('a chunk that is gained is in the bit field when it is told', () => {
	const { holdings, events } = makeHoldings();
	const holding = makeHolding();
	let isThere = false;
	holdings.on('gained', ({ have }, chunk) => {
		isThere = have.has(chunk);
	});
	holdings.add(holding);
	holdings.gain(holding, 2);
	assert.is(isThere, true);
	assert.equal(events, ['added 2000', 'gained 2000 2']);
});

test.run();
