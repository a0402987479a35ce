import * as assert from 'uvu/assert';
import { RetainedStore } from '../../../broker/aedes/retained-store.ts';
import { Topics } from '../../../protocol/index.ts';
import { seedId } from '../../helpers/fixtures/registry.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('retained store');
const topics = new Topics();
const NODE = 'node-ann1';

function makeRetained({ mostOfOne = 1e6, most = 1e6 } = {}): RetainedStore {
	return new RetainedStore({
		bare: [`${topics.root}/inbox/`, `${topics.root}/swarm/`],
		ownerOf: (topic) => (topic.includes('/announce/') ? topic.split('/').at(-1) : undefined),
		mostOfOne,
		most,
	});
}

function keep(retained: RetainedStore, topic: string, text = 'x'): Promise<void> {
	const payload = Buffer.from(text);
	const flags = { qos: 1, retain: true, dup: false } as const;
	return retained.storeRetained({ cmd: 'publish', topic, payload, ...flags });
}

async function found(retained: RetainedStore, ...filters: string[]): Promise<string[]> {
	const packets = await retained.createRetainedStreamCombi(filters).toArray();
	return packets.map(({ topic }) => topic);
}

test('a filter finds the messages that it matches, and an empty message removes a retained one', async () => {
	const retained = makeRetained();
	const [one, two] = [topics.announce(seedId(1), NODE), topics.announce(seedId(2), NODE)];
	const state = topics.nodeState(NODE);
	for (const topic of [one, two, state]) {
		await keep(retained, topic);
	}
	assert.equal(await found(retained, one), [one]);
	assert.equal(await found(retained, `${topics.root}/announce/+/${NODE}`), [one, two]);
	assert.equal(await found(retained, `${topics.root}/announce/#`), [one, two]);
	assert.equal(await found(retained, `${topics.root}/announce/+`), []);
	assert.equal(await found(retained, `${topics.root}/node/+/state`, one), [state, one]);
	assert.equal(await found(retained, '#'), [one, two, state]);
	await keep(retained, one, '');
	assert.equal(await found(retained, `${topics.root}/announce/#`), [two]);
	assert.is(retained.size, 2);
});

test('a retained message does not change when the buffer of its payload is overwritten', async () => {
	const retained = makeRetained();
	const payload = Buffer.from('before');
	const topic = topics.nodeState(NODE);
	const flags = { qos: 1, retain: true, dup: false } as const;
	await retained.storeRetained({ cmd: 'publish', topic, payload, ...flags });
	payload.fill(0);
	const [packet] = await retained.createRetainedStream(topic).toArray();
	assert.is(String(packet.payload), 'before');
});

test('a message that was replaced, even by the same text, or deleted is not retained any more', async () => {
	const retained = makeRetained();
	const topic = topics.nodeState(NODE);
	await keep(retained, topic);
	const [first] = await retained.createRetainedStream(topic).toArray();
	assert.ok(retained.isRetained(first));
	await keep(retained, topic);
	assert.not(retained.isRetained(first));
	const [second] = await retained.createRetainedStream(topic).toArray();
	assert.ok(retained.isRetained(second));
	await keep(retained, topic, '');
	assert.not(retained.isRetained(second));
});

test('T10: a retained message has memory of its own, so that it keeps none of other messages', async () => {
	const retained = makeRetained();
	const topic = topics.nodeState(NODE);
	await keep(retained, topic, 'x'.repeat(300));
	const [packet] = await retained.createRetainedStream(topic).toArray();
	assert.is(packet.payload.buffer.byteLength, 300);
});

test('T10: no more messages are retained beyond the limit of their owner or the limit of all owners', async () => {
	const retained = makeRetained({ mostOfOne: 2, most: 3 });
	const announce = (number: number, node: string) => topics.announce(seedId(number), node);
	for (const number of [1, 2, 3]) {
		await keep(retained, announce(number, NODE));
	}
	assert.is(retained.size, 2);
	await keep(retained, announce(1, NODE), 'changed');
	await keep(retained, announce(1, 'node-bob1'));
	await keep(retained, announce(2, 'node-bob1'));
	await keep(retained, topics.trackerState());
	assert.equal([retained.size, retained.unkept], [4, 2]);
	await keep(retained, announce(2, NODE), '');
	await keep(retained, announce(2, NODE), '');
	await keep(retained, announce(3, NODE));
	assert.equal([retained.size, retained.unkept], [4, 2]);
});

/** A store with `count` retained announces. */
async function crowded(count: number): Promise<RetainedStore> {
	const retained = makeRetained();
	for (let number = 0; number < count; number++) {
		await keep(retained, topics.announce(seedId(number), NODE));
	}
	return retained;
}

/** The ms for a node's subscriptions in the fastest of 50 runs, as other work delays some runs. */
async function quickest(retained: RetainedStore): Promise<number> {
	const filters = [topics.inboxFilter(NODE), topics.trackerState()];
	let best = Number.POSITIVE_INFINITY;
	for (let run = 0; run < 50; run++) {
		const start = performance.now();
		for (let slot = 0; slot < 20; slot++) {
			await found(retained, ...filters);
		}
		best = Math.min(best, (performance.now() - start) / 20);
	}
	return best;
}

test('the subscriptions of a node take about as long with 100,000 retained messages as with 100', async () => {
	const [few, many] = [await quickest(await crowded(100)), await quickest(await crowded(100_000))];
	console.log(`among 100: ${few} ms, among 100,000: ${many} ms`);
	assert.ok(many < 40 * few, `${many} ms, ${few} ms among 100`);
});

test.run();
