import type { NodeLinks } from './swarm-node.ts';

/**
 * The properties of a swarm from which a bound of its time is computed. The first node is the
 * seeder.
 */
export interface Shape {
	readonly nodes: readonly NodeLinks[];
	/** `length`: bytes of the content. `chunkSize`: bytes of one chunk. */
	readonly length: number;
	readonly chunkSize: number;
	/** The fraction of chunk messages that are lost. */
	readonly loss: number;
}

/**
 * A lower bound of the time of a swarm in which every node reaches every other node, ms. F is the
 * length of the content, u and d are the rates of the up and down links, s is the size of a chunk.
 * The bound is the sum of two times. The first is the greatest of these three, each divided by 1 -
 * loss, because lost messages are sent again:
 *
 * - F / u0: the seeder sends each byte once;
 * - F / min d: the node with the thinnest down link takes each byte once;
 * - N F / (u0 + ... + uN): all N downloaders take each byte once, and the nodes together send these
 *   bytes.
 *
 * The second is the time in which the last chunk that leaves the seeder reaches all nodes: log2(N)
 * (s / max u + 3 latencies). Only nodes that have the whole chunk pass it on, so their number at
 * most doubles in each step. A step takes the time in which the fastest node sends the chunk, and
 * three latencies: for the update, the request and the chunk.
 */
export function meshBound({ nodes, length, chunkSize, loss }: Shape): number {
	const [seeder, ...downloaders] = nodes as [NodeLinks, ...NodeLinks[]];
	const ups = nodes.map(({ up }) => up);
	const bytes = length / (1 - loss);
	const flow = Math.max(
		bytes / seeder.up,
		bytes / Math.min(...downloaders.map(({ down }) => down)),
		(downloaders.length * bytes) / ups.reduce((sum, up) => sum + up, 0),
	);
	const latency = 2 * Math.min(...nodes.map((node) => node.latency));
	const hop = (chunkSize / Math.max(...ups)) * 1_000 + 3 * latency;
	return flow * 1_000 + Math.log2(downloaders.length) * hop;
}

/**
 * A lower bound of the time of a swarm in which everything goes through a broker that sends
 * `egress` bytes per second, ms. It is the sum of two times, with the letters of {@link meshBound}:
 * the greatest of F / u0, F / min d and N F / egress, divided by 1 - loss, and the time of one
 * chunk through all three links. The up links of the downloaders do not count, because one copy on
 * a swarm topic is enough for all nodes.
 */
export function starBound({ nodes, length, chunkSize, loss }: Shape, egress: number): number {
	const [seeder, ...downloaders] = nodes as [NodeLinks, ...NodeLinks[]];
	const down = Math.min(...downloaders.map((node) => node.down));
	const bytes = length / (1 - loss);
	const flow = Math.max(bytes / seeder.up, bytes / down, (downloaders.length * bytes) / egress);
	const latency = 2 * Math.min(...nodes.map((node) => node.latency));
	const pipeline = chunkSize / seeder.up + chunkSize / egress + chunkSize / down;
	return (flow + pipeline) * 1_000 + 2 * latency;
}
