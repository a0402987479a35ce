import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Shoal, spawnBroker } from '../../helpers/harness/shoal.ts';
import type { Scope } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';
import { digestOf, NAME, type Payload } from './payload.ts';
import { Processes, type Usages } from './processes.ts';

const MIB = 1_048_576;

/** So many seeders and downloaders, and what they move. */
export interface Swarm {
	readonly name: string;
	readonly seeders: number;
	readonly downloaders: number;
	/** Bytes of the file, or of all files of the folder. */
	readonly length: number;
	/** The number of files in the folder. Undefined if one file is moved. */
	readonly files?: number;
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
	/** A plain copy of the same file or folder, just before or after, ms. */
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
	const folder = (files: number, each: number): Swarm => {
		const count = files / scale;
		const name = `folder-${files}-direct`;
		return { ...swarm(name, 1, 1, 0), length: count * each, files: count, lane: 'direct' };
	};
	return [...lanes, scraped, folder(2_000, 8_192), folder(10_000, 10_000)];
}

/** Measures a swarm once, and a plain copy before or after it. Every copy is verified, untimed. */
export async function measure(
	t: Scope,
	swarm: Swarm,
	payload: Payload,
	folder: string,
	isPlainFirst: boolean,
): Promise<SwarmRun> {
	let plainMs = isPlainFirst ? await plainCopy(payload.path, folder) : 0;
	const { url, processes, seeders } = await startSeeders(t, swarm, payload.path);
	await warm(payload.path);
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
		const digest = await digestOf(join(each.folder, NAME), swarm.files);
		await rm(each.folder, { recursive: true });
		if (digest !== payload.digest) {
			throw new Error(`${swarm.name}: a copy is not what was shared`);
		}
	}
	plainMs = isPlainFirst ? plainMs : await plainCopy(payload.path, folder);
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

/** ms that a process takes to read, hash and write a file or folder, its start included. */
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
	await rm(to, { recursive: true });
	return ms;
}

/** Reads a file or folder, so that the system keeps it in memory. */
async function warm(path: string): Promise<void> {
	if ((await stat(path)).isDirectory()) {
		for (const name of await readdir(path)) {
			await warm(join(path, name));
		}
		return;
	}
	for await (const _ of createReadStream(path, { highWaterMark: MIB })) {
		// Only read.
	}
}
