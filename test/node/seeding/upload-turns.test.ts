import * as assert from 'uvu/assert';
import type { DirectLane } from '../../../node/lanes/lane.ts';
import { directPolicy, SentCounts } from '../../../node/seeding/sent-counts.ts';
import { UploadLane } from '../../../node/seeding/upload-lane.ts';
import { UploadTurns } from '../../../node/seeding/upload-turns.ts';
import { Traffic } from '../../../node/stats/traffic.ts';
import type { StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { RecentBytes } from '../../../node/storage/recent-bytes.ts';
import { RateLimiter } from '../../../node/util/rate-limiter.ts';
import { Bitfield, DEFAULT_LIMITS } from '../../../protocol/index.ts';
import { topics } from '../../helpers/adversaries/peer.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('UploadTurns');
const CHUNK = 1_024;
const CHUNKS = 8;
const seed = seedOf(contentOf(CHUNK * CHUNKS), { chunkSize: CHUNK });

/**
 * Opens direct lanes to receivers with links so slow that each lane is drained only when the test
 * calls `drain`.
 */
async function openLanes(t: Scope, receivers: number) {
	const storage = new MemoryStorage(CHUNK * CHUNKS);
	const content: StoredContent = { seed, have: Bitfield.full(CHUNKS), storage };
	const [turns, counts] = [new UploadTurns(), new SentCounts()];
	const recent = new RecentBytes<StoredContent>();
	const upLimiter = new RateLimiter(undefined);
	return Array.from({ length: receivers }, (_, index) => {
		const parts: number[] = [];
		let drain = (): void => {};
		const lane: DirectLane = {
			kind: 'direct',
			dialledBy: 'me',
			received: 0,
			isUp: true,
			queued: 0,
			send: (_topic, payload) => {
				parts.push((payload as readonly Uint8Array[])[1]?.length ?? 0);
			},
			drained: () =>
				new Promise((resolve) => {
					drain = resolve;
				}),
			close: () => {},
		};
		const upload = new UploadLane({
			lane,
			turns,
			policy: directPolicy(counts),
			link: { id: '0'.repeat(20) },
			topics,
			limits: DEFAULT_LIMITS,
			traffic: new Traffic(),
			upLimiter,
			recent,
			trace: undefined,
			isWantedByOthers: () => false,
			failed: (_item, error) => assert.unreachable(String(error)),
		});
		t.defer(() => upload.close());
		return {
			parts,
			drain: () => drain(),
			close: () => upload.close(),
			/** Requests `chunks`, each in two parts. */
			ask: (...chunks: number[]) => {
				const half = CHUNK / 2;
				const ranges = chunks.flatMap((chunk): Array<[number, number]> => {
					return [
						[chunk * CHUNK, half],
						[chunk * CHUNK + half, half],
					];
				});
				upload.add(`${10 + index}`.repeat(10), 1n, ranges, { of: 'content', content });
			},
		};
	});
}

const chunksSent = (lanes: ReadonlyArray<{ parts: readonly number[] }>): number[] =>
	lanes.map(({ parts }) => parts.length / 2);

test('beyond sixteen receivers, the next one gets a slot only when at most two others still take their chunk', async (t) => {
	const lanes = await openLanes(t, 20);
	for (const lane of lanes) {
		lane.ask(0, 1);
	}
	const sent = (): number => chunksSent(lanes).reduce((sum, chunks) => sum + chunks);
	await until('sixteen chunks', () => sent() === 16);
	// A lane keeps its slot for 20 ms.
	await new Promise((resolve) => setTimeout(resolve, 30));
	for (const lane of lanes.slice(0, 13)) {
		lane.drain();
	}
	await new Promise((resolve) => setTimeout(resolve, 30));
	assert.is(sent(), 16);
	assert.equal(chunksSent(lanes).slice(16), [0, 0, 0, 0]);
	lanes[13]?.drain();
	await until('another chunk', () => sent() === 17);
});

test('with sixteen receivers, no receiver waits', async (t) => {
	const lanes = await openLanes(t, 16);
	for (const lane of lanes) {
		lane.ask(0, 1, 2, 3);
	}
	await until('all', () => chunksSent(lanes).every((chunks) => chunks === 4));
});

test('when a lane closes, the next lane gets its slot', async (t) => {
	const lanes = await openLanes(t, 17);
	for (const lane of lanes) {
		lane.ask(0);
	}
	const sent = (): number => chunksSent(lanes).reduce((sum, chunks) => sum + chunks);
	await until('sixteen chunks', () => sent() === 16);
	assert.is(chunksSent(lanes)[16], 0);
	lanes[0]?.close();
	await until('the last one', () => chunksSent(lanes)[16] === 1);
});

test('a receiver that does not take its chunk delays the others by at most two seconds', async (t) => {
	const lanes = await openLanes(t, 18);
	for (const lane of lanes) {
		lane.ask(0);
	}
	const before = performance.now();
	await until('all', () => chunksSent(lanes).every((chunks) => chunks === 1));
	const took = performance.now() - before;
	assert.ok(took > 1_500 && took < 6_000, `${took} ms`);
});

test.run();
