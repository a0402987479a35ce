import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Shoal, sha256, spawnBroker } from '../../helpers/harness/shoal.ts';
import type { Scope } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';
import { Processes, type Usages } from './processes.ts';

const MIB = 1_048_576;

/** So many seeders and downloaders, and what they move. */
export interface Swarm {
	readonly name: string;
	readonly seeders: number;
	readonly downloaders: number;
	/** Bytes of the file. */
	readonly length: number;
	/** Bytes per second that each seeder sends at most. */
	readonly maxUp?: number;
	readonly lane: 'direct' | 'broker';
	/** Whether the metrics of the broker are read every second. */
	readonly isScraped?: boolean;
}

/** The outcome of one measurement of a swarm. */
export interface SwarmRun {
	/** From the start of the downloaders to the last one's `complete`, ms. */
	readonly ms: number;
	/** A plain copy of the same file, just before or after, ms. */
	readonly plainMs: number;
	/** Copies of the content that left the seeders. */
	readonly copies: number;
	readonly usages: Usages;
}

/** The measured swarms; `quick` with a sixteenth of the bytes, to try the tool. */
export function swarms(isQuick: boolean): readonly Swarm[] {
	const scale = isQuick ? 16 : 1;
	const swarm = (name: string, seeders: number, downloaders: number, mib: number) => ({
		name,
		seeders,
		downloaders,
		length: (mib * MIB) / scale,
	});
	const all = [
		swarm('1-1', 1, 1, 1_024),
		swarm('4-1', 4, 1, 1_024),
		swarm('1-4', 1, 4, 256),
		{ ...swarm('1-8-limited', 1, 8, 64), maxUp: 20_000_000 / scale },
	];
	const lanes = (['direct', 'broker'] as const).flatMap((lane) =>
		all.map((each) => ({ ...each, lane, name: `${each.name}-${lane}` })),
	);
	const scraped = {
		...swarm('1-1-scraped', 1, 1, 1_024),
		lane: 'broker',
		isScraped: true,
	} as const;
	return [...lanes, scraped];
}

/** Measures a swarm once, and a plain copy before or after it. Every copy is verified, untimed. */
export async function measure(
	t: Scope,
	swarm: Swarm,
	file: { readonly path: string; readonly digest: string },
	folder: string,
	isPlainFirst: boolean,
): Promise<SwarmRun> {
	let plainMs = isPlainFirst ? await plainCopy(file.path, folder) : 0;
	const { url, processes, seeders } = await startSeeders(t, swarm, file.path);
	await warm(file.path);
	processes.begin();
	const startedAt = performance.now();
	const downloaders: Array<{ process: Shoal; folder: string }> = [];
	for (let index = 0; index < swarm.downloaders; index += 1) {
		const into = join(folder, `copy-${index}`);
		await mkdir(into);
		const lane = swarm.lane === 'broker' ? 'broker' : 'auto';
		const args = ['get', seeders.id, '-o', `${into}/`, '--keep', '--broker', url, '--lane', lane];
		const process = new Shoal(t, args);
		processes.watch('downloader', process.pid);
		downloaders.push({ process, folder: into });
	}
	const ends = await Promise.all(
		downloaders.map(async ({ process }) => (await process.event('complete', 600_000)).at),
	);
	const usages = processes.usages();
	const sent = await Promise.all(seeders.processes.map(stopSeeder));
	for (const each of downloaders) {
		await each.process.end();
		const digest = await sha256(join(each.folder, 'payload.bin'));
		await rm(each.folder, { recursive: true });
		if (digest !== file.digest) {
			throw new Error(`${swarm.name}: a copy is not what was shared`);
		}
	}
	plainMs = isPlainFirst ? plainMs : await plainCopy(file.path, folder);
	const copies = sent.reduce((sum, bytes) => sum + bytes, 0) / swarm.length;
	return { ms: Math.max(...ends) - startedAt, plainMs, copies, usages };
}

async function startSeeders(t: Scope, swarm: Swarm, path: string) {
	const processes = new Processes();
	const { broker, url } = await spawnBroker(t, '--http', '0');
	if (swarm.isScraped) {
		await scrape(t, String((await broker.event('listening')).http));
	}
	processes.watch('broker', broker.pid);
	const limit = swarm.maxUp === undefined ? [] : ['--max-up', String(swarm.maxUp)];
	const started: Shoal[] = [];
	let id = '';
	for (let index = 0; index < swarm.seeders; index += 1) {
		const seeder = new Shoal(t, ['share', path, '--broker', url, ...limit]);
		processes.watch('seeder', seeder.pid);
		id = (await seeder.event('sharing', 120_000)).id as string;
		started.push(seeder);
	}
	return { url, processes, seeders: { id, processes: started } };
}

/** Reads the metrics of a broker now, and every second. */
async function scrape(t: Scope, http: string): Promise<void> {
	const read = async (): Promise<string> => await (await fetch(`${http}/metrics`)).text();
	await read();
	const timer = setInterval(() => void read().catch(() => {}), 1_000);
	t.defer(() => clearInterval(timer));
}

/** Ends a seeder. @returns the bytes it has sent */
async function stopSeeder(seeder: Shoal): Promise<number> {
	seeder.signal('SIGTERM');
	const { sent } = await seeder.event('stopped');
	await until('the seeder to end', () => seeder.code !== undefined);
	return sent as number;
}

/** ms of a process that reads, hashes and writes a file, with its start, as a downloader has one. */
async function plainCopy(path: string, folder: string): Promise<number> {
	const to = join(folder, 'plain-copy');
	await warm(path);
	const startedAt = performance.now();
	execFileSync(process.execPath, [
		fileURLToPath(new URL('./plain-copy.js', import.meta.url)),
		path,
		to,
	]);
	const ms = performance.now() - startedAt;
	await rm(to);
	return ms;
}

/** Has the system keep a file in memory. */
async function warm(path: string): Promise<void> {
	for await (const _ of createReadStream(path, { highWaterMark: MIB })) {
		// Only read.
	}
}
