import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as assert from 'uvu/assert';
import { mostMemory } from '../../broker/memory-bound.ts';
import { Clearing } from '../../broker/tracker/clearing.ts';
import { Registry } from '../../broker/tracker/registry.ts';
import { decodeAnnounce, encodeJson, resolveLimits, Topics } from '../../protocol/index.ts';
import { announce, seedId } from '../helpers/fixtures/registry.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('the bound of the memory of a broker');
const COUNT = 4_000;
const topics = new Topics();

/** Bytes of the heap that are in use. */
function heap(): number {
	setFlagsFromString('--expose-gc');
	(runInNewContext('gc') as () => void)();
	return process.memoryUsage().heapUsed;
}

test('announces with the longest names, and as many that wait for their deletion, are within it', () => {
	const limits = resolveLimits({ announces: COUNT });
	const list = mostMemory(limits).find(({ what }) => what === "the tracker's list");
	const registry = new Registry({ limits, now: () => 0, random: () => 0 });
	const link = { isUp: false, forget: async () => {} };
	const clearing = new Clearing({ link, topics, most: COUNT, onFailure: () => {} });
	const before = heap();
	for (let at = 0; at < COUNT; at += 1) {
		// 255 bytes; as V8 stores text, each of the 253 characters would take two bytes.
		const name = `${String(at).padStart(252, 'x')}\u4e00`;
		const message = encodeJson({ ...announce('s'.repeat(21), { name }), seq: 2 ** 40 + at });
		registry.announce(seedId(at), `node-${at % 10}`, decodeAnnounce(message), true);
		clearing.forget(topics.announce(seedId(COUNT + at), 'n'.repeat(21)));
	}
	const used = heap() - before;
	assert.is(registry.size.announces, COUNT);
	assert.ok(used < (list?.most ?? 0), `${used / COUNT} bytes each`);
	// This use keeps the garbage collector from freeing it before it is measured.
	assert.ok(clearing.forget(topics.announce(seedId(COUNT), 'n'.repeat(21))));
});

test.run();
