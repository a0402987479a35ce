import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ShoalNode } from '../../../node/index.ts';
import { makeFolder } from '../fixtures/folder.ts';
import { startBroker } from './broker.ts';
import { makeFile, startNode } from './node.ts';
import { randomFile } from './shoal.ts';
import type { Scope } from './suite.ts';

export const MB = 1_000_000;

/** Seeders and downloaders of one file. */
export interface LimitedSwarm {
	readonly seeders: readonly ShoalNode[];
	readonly downloaders: readonly ShoalNode[];
	/** Makes all downloaders download the file. */
	run(): Promise<void>;
}

/** Options of {@link startLimited}. */
export interface LimitedSwarmOptions {
	/** Bytes of the file. */
	readonly length: number;
	readonly seeders?: number;
	readonly downloaders?: number;
	/** The upload limit of each seeder, bytes per second. */
	readonly maxUp?: number;
	/** The download limit of each downloader, bytes per second. */
	readonly maxDown?: number;
}

/** Starts nodes with rate limits. */
export async function startLimited(t: Scope, options: LimitedSwarmOptions): Promise<LimitedSwarm> {
	const { length, maxUp, maxDown } = options;
	const { url } = await startBroker(t);
	const path = await makeFile(t, '');
	await randomFile(path, length);
	const start = async (count: number, limits: object): Promise<ShoalNode[]> =>
		await Promise.all(Array.from({ length: count }, () => startNode(t, url, limits)));
	const seeders = await start(options.seeders ?? 1, { maxUp });
	const downloaders = await start(options.downloaders ?? 1, { maxDown });
	const [share] = await Promise.all(seeders.map((seeder) => seeder.share(path)));
	const folder = await makeFolder(t);
	const run = async (): Promise<void> => {
		const gets = downloaders.map(async (node) => {
			const output = join(folder, node.id);
			await mkdir(output);
			await node.get(share?.seed.id ?? '', { output });
		});
		await Promise.all(gets);
	};
	return { seeders, downloaders, run };
}
