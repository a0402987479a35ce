import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CliEvent, Shoal, sha256 } from '../../helpers/harness/shoal.ts';
import type { Scope } from '../../helpers/harness/suite.ts';
import { Lan } from './lan.ts';

/** A swarm on a LAN: host 0 has the broker, host 1 the file, all others want it. */
export interface LabSwarm {
	readonly downloaders: number;
	/** Hosts that reach the broker's only. @default none */
	readonly isolated?: readonly number[];
	/** How often the way from the first downloader to the seeder is cut. @default 0 */
	readonly cuts?: number;
	/** Whether the first downloader gets another address in the middle. @default false */
	readonly isMoving?: boolean;
}

/** Settings of all runs. */
export interface LabOptions {
	readonly file: { readonly path: string; readonly digest: string; readonly length: number };
	/** Bits per second of each link. */
	readonly rate: number;
	/** Where copies are put. */
	readonly folder: string;
	/** Where each node writes its trace, if it is to. */
	readonly traces?: string | undefined;
}

/** The outcome of a run. Copies are bytes on a link, with all headers, over those of the file. */
export interface LabRun {
	/** From the start of the downloaders until the last had the file, s. */
	readonly seconds: number;
	/** Copies that left the seeder, and the broker's host. */
	readonly seederCopies: number;
	readonly brokerCopies: number;
	/** Useful bytes that came on direct lanes, of all. */
	readonly direct: number;
	/** The longest time in which a downloader's progress stood still, s. */
	readonly stall: number;
}

const PORT = 1_883;
const CUT_FOR = 3_000;

/** Runs a swarm once. Every copy is verified, untimed. */
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
			throw new Error('a copy is not what was shared');
		}
	}
	return { seconds, seederCopies, brokerCopies, direct: directShare(completes), stall };
}

/** The first downloader and the seeder lose each other for 3 s, and have 3 s to find back. */
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

/** s between two events of progress in which something came. */
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
