import { seededRandom } from '../harness/random.ts';
import type { Shape } from './bound.ts';

const KIB = 1024;

/**
 * A seeder and downloaders. Their up links have 160 to 1,600 KiB per second, and 1 % of the chunk
 * messages are lost.
 */
export function meshOf(downloaders: number, { chunks = 256 } = {}): Shape {
	const random = seededRandom(8);
	const nodes = Array.from({ length: downloaders + 1 }, (_, index) => {
		const up = index === 0 ? 1_706 * KIB : 160 * KIB * 10 ** random();
		return { up, down: Math.max(4 * up, 1_920 * KIB), latency: 5 + 20 * random() };
	});
	return { nodes, length: chunks * 256 * KIB, chunkSize: 256 * KIB, loss: 0.01 };
}
