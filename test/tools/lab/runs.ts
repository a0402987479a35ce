import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CliEvent, Shoal, sha256 } from '../../helpers/harness/shoal.ts';
import type { Scope } from '../../helpers/harness/suite.ts';
import { Lan } from './lan.ts';

/**
 * A swarm on a LAN: host 0 has the broker, host 1 is the seeder, all other hosts are downloaders.
 */
export interface LabSwarm {
	readonly downloaders: number;
	/** Hosts that reach only the host of the broker. @default none */
	readonly isolated?: readonly number[];
	/** How often the path between the first downloader and the seeder is cut. @default 0 */
	readonly cuts?: number;
	/** Whether the first downloader gets another address in the middle. @default false */
	readonly isMoving?: boolean;
}

/** Settings of all runs. */
export interface LabOptions {
	readonly file: { readonly path: string; readonly digest: string; readonly length: number };
	/** Bits per second of each link. */
	readonly rate: number;
	/** The folder for the copies. */
	readonly folder: string;
	/** The folder for the traces of the nodes; undefined: no traces. */
	readonly traces?: string | undefined;
}

/**
 * The outcome of a run. The number of copies is the bytes on a link, with all headers, divided by
 * the bytes of the file.
 */
export interface LabRun {
	/** The time from the start of the downloaders until the last one was complete, s. */
	readonly seconds: number;
	/** Copies that were sent by the seeder's host, and by the broker's host. */
	readonly seederCopies: number;
	readonly brokerCopies: number;
	/** The fraction of useful bytes that came on direct lanes. */
	readonly direct: number;
	/** The longest time in which a downloader received nothing, s. */
	readonly stall: number;
}

const PORT = 1_883;
const CUT_FOR = 3_000;

/** Runs a swarm once. Every copy is verified; that time is not measured. */
export async function runLab(t: Scope, swarm: LabSwarm, options: LabOptions): Promise<LabRun> {
	const { downloaders, isolated = [], cuts = 0, isMoving = false } = swarm;
	const { file, rate, folder, traces } = options;
	const lan = new Lan(t, downloaders + 2, rate);
	for (const host of isolated) {
		lan.isolate(host);
	}
	const start = (host: number, ...args: string[]): Shoal => {
		const trace =
			host > 0 && traces !== undefined ? ['--trace', join(traces, `${host}.jsonl`)] : [];
		return new Shoal(t, [...args, ...trace], undefined, lan.on(host));
	};
	const broker = `mqtt://${lan.address(0)}:${PORT}`;
	const open = ['--host', lan.address(0), '--port', String(PORT), '--insecure-anonymous'];
	await start(0, 'broker', ...open).event('listening');
	const seeder = start(1, 'share', file.path, '--broker', broker);
	const { id } = await seeder.event('sharing', 60_000);
	const [seederBefore, brokerBefore] = [lan.sent(1), lan.sent(0)];
	const startedAt = performance.now();
	const all: Array<{ process: Shoal; copy: string }> = [];
	for (let index = 0; index < downloaders; index += 1) {
		const copy = join(folder, String(index), 'payload.bin');
		await mkdir(join(folder, String(index)), { recursive: true });
		const args = ['get', id as string, '-o', copy, '--broker', broker, '--keep'];
		all.push({ process: start(index + 2, ...args), copy });
	}
	const cutting = cutAgainAndAgain(lan, cuts);
	const moving = isMoving ? setTimeout(() => lan.move(2), CUT_FOR) : undefined;
	const completes = await Promise.all(
		all.map(({ process }) => process.event('complete', 3_600_000)),
	);
	const seconds = (Math.max(...completes.map(({ at }) => at)) - startedAt) / 1_000;
	const copies = (host: number, before: number): number => (lan.sent(host) - before) / file.length;
	const [seederCopies, brokerCopies] = [copies(1, seederBefore), copies(0, brokerBefore)];
	clearTimeout(moving);
	await cutting;
	const stall = Math.max(...all.map(({ process }) => longestStall(process.events, startedAt)));
	for (const { process, copy } of all) {
		process.signal('SIGTERM');
		await process.exit();
		if ((await sha256(copy)) !== file.digest) {
			throw new Error('a copy differs from the shared file');
		}
	}
	return { seconds, seederCopies, brokerCopies, direct: directShare(completes), stall };
}

/** Cuts the path between the first downloader and the seeder for 3 s, with 3 s between two cuts. */
async function cutAgainAndAgain(lan: Lan, cuts: number): Promise<void> {
	const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, CUT_FOR));
	for (let cut = 0; cut < cuts; cut += 1) {
		await pause();
		lan.cut(2, 1);
		lan.cut(1, 2);
		await pause();
		lan.mend(2, 1);
		lan.mend(1, 2);
	}
}

/** Returns the longest time between two progress events with new bytes, s. */
function longestStall(events: readonly CliEvent[], startedAt: number): number {
	let [have, since, longest] = [0, startedAt, 0];
	for (const event of events) {
		if (event.event === 'progress' && (event.have as number) > have) {
			longest = have === 0 ? 0 : Math.max(longest, event.at - since);
			[have, since] = [event.have as number, event.at];
		}
	}
	return longest / 1_000;
}

function directShare(completes: readonly CliEvent[]): number {
	let [direct, all] = [0, 0];
	for (const { sources } of completes) {
		for (const { lane, bytes } of sources as Array<{ lane: string; bytes: number }>) {
			all += bytes;
			direct += lane === 'direct' ? bytes : 0;
		}
	}
	return direct / all;
}
