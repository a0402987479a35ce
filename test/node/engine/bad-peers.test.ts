import * as assert from 'uvu/assert';
import type { Decision } from '../../../node/engine/decision.ts';
import { Bitfield } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { makeEngine, requestsIn } from '../../helpers/simulation/make-engine.ts';

const test = suite('peers that send nothing or wrong chunks');
/** Bytes of a chunk, which is one part. */
const SIZE = 16 * 1024;
const CHUNKS = 16;
/** ms after which a node that has never answered times out. */
const TIMEOUT = 2_100;

const engineOf = (...nodes: string[]) => makeEngine({ chunks: CHUNKS, size: SIZE, nodes });

test('if one open request is all that a rate limit allows, the next one goes to another node than the silent one', () => {
	const engine = engineOf('silent', 'good');
	const [first] = requestsIn(engine.decide(0, 1));
	assert.is(first?.node, 'silent');
	assert.is(engine.awaited(1).outstanding, SIZE);
	assert.is(engine.awaited(1_000).outstanding, 0, 'it may never arrive');
	const [second] = requestsIn(engine.decide(TIMEOUT, 1));
	assert.is(second?.node, 'good');
});

test('a node that sends wrong chunks is dropped, also if it leaves and comes back between them', () => {
	const engine = engineOf('liar');
	const returns = (): boolean => engine.nodeHas('liar', Bitfield.full(CHUNKS).indices());
	/** `liar` sends a wrong chunk. @param meanwhile called while the chunk is verified */
	const wrongChunk = (meanwhile: () => void): Decision[] => {
		const [{ request = 0n, ranges = [] } = {}] = requestsIn(engine.decide(0));
		const [[offset, length] = [0, 0]] = ranges;
		assert.ok(engine.received('liar', request, offset, length, 1)?.isWhole);
		meanwhile();
		return engine.bad(offset / SIZE, 'liar');
	};
	const first = wrongChunk(() => engine.removeNode('liar'));
	assert.equal(first, []);
	assert.ok(returns());
	const second = wrongChunk(() => engine.removeNode('liar'));
	assert.equal(second, [{ do: 'drop', node: 'liar' }]);
	assert.not(returns());
});

test.run();
