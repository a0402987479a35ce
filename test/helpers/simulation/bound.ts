import type { NodeLinks } from './swarm-node.ts';

/** A swarm, as far as a bound of its time needs to know it. The seeder is the first node. */
export interface Shape {
	readonly nodes: readonly NodeLinks[];
	/** Bytes of the content, and of one chunk. */
	readonly length: number;
	readonly chunkSize: number;
	/** Share of chunk messages that are lost. */
	readonly loss: number;
}

/**
 * ms that no schedule can beat where every node reaches every other. The greatest of
 *
 * - F / u0: the seeder sends each byte once;
 * - F / min d: the node with the thinnest down link takes each byte once;
 * - N F / (u0 + ... + uN): all N downloaders take each byte once, and somebody sends it;
 *
 * each over 1 - loss, as what is lost is sent again; and to that the pipeline: the last chunk to
 * leave the seeder still has to reach everybody, and as only who has a whole chunk passes it on, who
 * has it at most doubles in the time that the fastest node takes to send it and the news of it and
 * the wish for it take to travel: log2(N) times (s / max u + 3 latencies).
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
 * ms that no schedule can beat where everything goes through a broker that sends `egress` bytes per
 * second: F / u0, F / min d and N F / egress, over 1 - loss, and one chunk through all three links.
 * What nodes send does not count, as one copy on a shared topic is enough for all.
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
