import { join } from 'node:path';
import { Tracker, type TrackerOptions } from '../../../broker/index.ts';
import { type Progress, ShoalNode, type ShoalNodeOptions } from '../../../node/index.ts';
import { randomFile, sha256 } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import type { ClusterContext } from './scenario.ts';

export const MIB = 1_048_576;
const DEADLINE = 120_000;

/** Returns a list of servers that begins with the one at `first`, and has the others after it. */
export function from<T>(servers: readonly T[], first: number): T[] {
	return [...servers.slice(first), ...servers.slice(0, first)];
}

/** Starts a tracker that is closed when the scope ends. @param first its first server */
export async function startTracker(
	t: ClusterContext,
	first: number,
	options: Omit<TrackerOptions, 'url'> = {},
): Promise<Tracker> {
	const url = from(t.cluster.urlsOf('tracker'), first);
	const tracker = await Tracker.start({ ...options, url });
	t.defer(() => tracker.close());
	return tracker;
}

/** Starts a node that is closed when the scope ends. @param first its first server */
export async function startNode(
	t: ClusterContext,
	first: number,
	options: Omit<ShoalNodeOptions, 'broker'> = {},
): Promise<ShoalNode> {
	const node = await ShoalNode.start({ ...options, broker: from(t.cluster.urls, first) });
	t.defer(() => node.close());
	return node;
}

/** A file of random bytes. */
export interface RandomFile {
	readonly path: string;
	/** Its SHA-256. */
	readonly digest: string;
	readonly length: number;
}

/** Writes a file of random bytes into the folder of the scenario. */
export async function makeFile(
	{ folder }: ClusterContext,
	name: string,
	length: number,
): Promise<RandomFile> {
	const path = join(folder, name);
	return { path, digest: await randomFile(path, length), length };
}

/** A download whose bytes are checked at its end. */
export class RunningDownload {
	readonly #node: ShoalNode;
	readonly #done: Promise<{ readonly path: string }>;
	#last: Progress | undefined;

	/** Starts to download a seed to `output`. */
	constructor(node: ShoalNode, id: string, output: string) {
		this.#node = node;
		this.#done = node.get(id, {
			output,
			onProgress: (progress) => {
				this.#last = progress;
			},
		});
		this.#done.catch(() => {});
	}

	/** Bytes that are verified and stored. */
	get have(): number {
		return this.#last?.have ?? 0;
	}

	/** Bytes that have arrived, those that arrived twice included. */
	get received(): number {
		return this.#node.received.total;
	}

	/** Waits until `bytes` are stored. */
	async reaches(bytes: number): Promise<void> {
		await until(`${bytes} bytes are stored`, () => this.have >= bytes);
	}

	/** Waits for the end. @throws if the copy differs, or if it lasts too long */
	async completes({ digest, length }: RandomFile): Promise<void> {
		await until(`all ${length} bytes are stored`, () => this.have === length, DEADLINE);
		const { path } = await this.#done;
		if ((await sha256(path)) !== digest) {
			throw new Error('the copy differs from the file that was shared');
		}
	}
}

/** Waits until `condition` is true. @returns the ms it took */
export async function timeUntil(
	what: string,
	condition: () => unknown,
	deadline?: number,
): Promise<number> {
	const start = performance.now();
	await until(what, condition, deadline);
	return performance.now() - start;
}

/** The tracker's entry for a seed, or undefined if it has none or cannot be asked. */
export async function listingOf(node: ShoalNode, id: string) {
	try {
		for await (const listing of node.seeds()) {
			if (listing.seed === id) {
				return listing;
			}
		}
	} catch {
		// The node is not connected, or no tracker answers.
	}
	return undefined;
}

/** The number of shared contents that the tracker lists, each once for each node; 0 if it does not answer. */
export async function listedBy(node: ShoalNode): Promise<number> {
	let count = 0;
	try {
		for await (const { seeders, downloaders } of node.seeds()) {
			count += seeders + downloaders;
		}
		return count;
	} catch {
		return 0;
	}
}
