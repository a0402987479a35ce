import * as assert from 'uvu/assert';
import type { LaneKind } from '../../node/lanes/lane.ts';
import { MessageRouter } from '../../node/message-router.ts';
import { encodeJson, HEADER_BYTES, writeChunkHeader } from '../../protocol/index.ts';
import { topics } from '../helpers/adversaries/peer.ts';
import { seedId } from '../helpers/fixtures/registry.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('message router');
const ME = 'node-0001';
const OTHER = 'other-001';

/** A router that notes what it passes on. A download of the seed 1 is running. */
function start() {
	const passed: string[] = [];
	const note = (what: string) => (): boolean => {
		passed.push(what);
		return true;
	};
	const context = { topics, lanes: { heard: () => {} }, tracker: { onState: note('state') } };
	const running = { transfer: { onBytes: note('bytes'), onShared: note('shared') } };
	const downloads = { running: (id: string) => (id === seedId(1) ? running : undefined) };
	const router = new MessageRouter(
		context as never,
		{} as never,
		downloads as never,
		{ onTracker: note('tracker') } as never,
	);
	const receive = (topic: string, payload: Uint8Array, kind: LaneKind = 'broker'): string[] => {
		passed.length = 0;
		const release = note('release');
		router.receive({ topic, payload, isRetained: false, release }, { kind } as never);
		return [...passed];
	};
	return { receive };
}

function chunk(seed: string, of: 'content' | 'seed'): Uint8Array {
	const message = new Uint8Array(HEADER_BYTES + 1);
	writeChunkHeader(message, { of, request: 1n, seed, offset: 0 });
	return message;
}

test('a node on a direct lane cannot claim to be the tracker', () => {
	const { receive } = start();
	const lost = encodeJson({ state: 'lost', tracker: OTHER, session: 'session-01' });
	for (const topic of [topics.trackerState(), topics.trackerNotice(ME, OTHER)]) {
		assert.equal(receive(topic, lost, 'direct'), []);
		assert.equal(receive(topic, lost, 'broker'), ['state', 'tracker']);
	}
});

test('a shared chunk counts only on the topic of its seed, and only if it is of the content', () => {
	const { receive } = start();
	const topic = topics.swarm(seedId(1), OTHER);
	assert.equal(receive(topic, chunk(seedId(1), 'content')), ['shared']);
	assert.equal(receive(topic, chunk(seedId(1), 'seed')), ['release']);
	assert.equal(receive(topics.swarm(seedId(2), OTHER), chunk(seedId(1), 'content')), ['release']);
	assert.equal(receive(topics.chunk(ME, OTHER), chunk(seedId(2), 'content')), ['release']);
});

test.run();
