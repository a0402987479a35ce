import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { SeedEvent } from '../../../node/stats/trace.ts';
import { Layout } from '../../../protocol/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { checkTrace, type TraceLine } from './check-trace.ts';

const test = suite('checkTrace');
const layout = new Layout(4_000, 1_024);
const ids = { seed: 'seed', lane: 'broker', node: 'node', id: '1' } as const;

function lines(...events: readonly unknown[]): TraceLine[] {
	return events.map((event, t) => ({ t, seed: 'seed', ...(event as SeedEvent) }));
}

const asked = { ...ids, event: 'asked', ranges: [[0, 1_024]] };
const received = {
	...ids,
	event: 'received',
	offset: 0,
	length: 1_024,
	useful: 1_024,
	shared: false,
};
const stored = { event: 'stored', node: 'node', first: 0, count: 1 };
const complete = { event: 'complete' };

test('a trace in which a chunk is requested, received and stored has no problem', () => {
	assert.equal(checkTrace(lines(asked, received, stored, complete), layout), []);
});

test('a chunk that is counted twice is a problem', () => {
	const [problem] = checkTrace(lines(asked, received, stored, stored), layout);
	assert.is(problem, 'at 3 ms: chunk 0 is counted twice');
});

test('a chunk that is counted without its bytes, for another node, or after it was bad is a problem', () => {
	const half = { ...received, length: 512, useful: 512 };
	const bad = { event: 'bad', node: 'node', chunk: 0 };
	for (const before of [[], [asked, half], [received, bad], [{ ...received, node: 'other' }]]) {
		const problems = checkTrace(lines(...before, stored), layout);
		assert.match(String(problems), 'chunk 0 is counted, and');
	}
});

test('more open bytes than the window are a problem', () => {
	assert.match(String(checkTrace(lines(asked), layout, 1_023)), '1024 bytes are open');
	assert.equal(checkTrace(lines(asked), layout, 1_024), []);
});

test('a request that never ends is a problem; refused, cancelled, lost and answered requests have ended', () => {
	assert.match(String(checkTrace(lines(asked, complete), layout)), 'nothing became of the wish');
	const ends = [
		{ event: 'refused', node: 'node', id: '1', busy: true },
		{ ...asked, event: 'cancelled' },
		{ event: 'lost', node: 'node', offset: 0, length: 1_024 },
		{ event: 'gone', node: 'node' },
		{ ...received, length: 2_048, useful: 0, shared: true },
	];
	for (const end of ends) {
		assert.equal(checkTrace(lines(asked, end, complete), layout), []);
	}
});

test('a range that is requested again while it is open is a problem', () => {
	assert.match(String(checkTrace(lines(asked, asked), layout)), 'while that is open');
});

test('bytes beyond the end of the content are a problem', () => {
	assert.match(String(checkTrace(lines({ ...received, offset: 3_999 }), layout)), 'cannot be');
});

test('the trace of a download during which a seeder closes has no problem', async (t) => {
	const { url } = await startBroker(t);
	const path = await makeFile(t, contentOf(8 * 1_048_576));
	const seeders = [0, 1].map(() => startNode(t, url, { maxUp: 8_000_000 }));
	const [dying, other] = await Promise.all(seeders);
	const share = await dying?.share(path);
	await other?.share(path);
	const trace: TraceLine[] = [];
	const node = await startNode(t, url, {
		lane: 'broker',
		trace: (event) => {
			trace.push({ t: performance.now(), ...event });
			if (trace.length === 30) {
				void dying?.close();
			}
		},
	});
	const getting = node.get(share?.seed.id as string, { output: join(await makeFolder(t), 'copy') });
	const { seed } = await getting;
	assert.equal(checkTrace(trace, seed.layout), []);
	assert.ok(trace.length > 60);
});

test.run();
