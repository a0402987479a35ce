import * as assert from 'uvu/assert';
import { suite } from '../../helpers/harness/suite.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { tell } from './story.ts';

const test = suite('the simulation of a tracker with many nodes');

test('frames arrive whole, however a stream divides them', () => {
	const frames = [
		{ numbers: [], bytes: Buffer.alloc(0) },
		{ numbers: [1, 0.5, -3], bytes: Buffer.from('some bytes') },
		{ numbers: [2], bytes: Buffer.alloc(300, 7) },
	];
	const all = Buffer.concat(frames.map(encodeFrame));
	for (const size of [1, 3, 100, all.length]) {
		const reader = new FrameReader();
		const read = [];
		for (let start = 0; start < all.length; start += size) {
			read.push(...reader.read(all.subarray(start, start + size)));
		}
		assert.equal(read, frames);
	}
});

test('the list is exact after each phase, and whole soon after a take-over', async () => {
	const options = {
		queue: Number.POSITIVE_INFINITY,
		samples: 20,
		queryEvery: 5_000,
		isShort: false,
		say: () => {},
	};
	const { faults, whole, phases } = await tell({ nodes: 50, announces: 500, ...options });
	assert.equal(faults, []);
	assert.ok(whole < 10_000, `${whole} ms`);
	const rest = phases.find(({ name }) => name === 'rest');
	// One update each, every 30 s ± 20 %.
	assert.ok((rest?.received ?? 0) > 80 && (rest?.received ?? 0) < 130, `${rest?.received}`);
});

test.run();
