import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { formatRate, formatTime } from '../../../node/cli/terminal/units.ts';
import { randomFile, Shoal, sha256 } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import { BadLink, whyNoBadLink } from './bad-link.ts';
import type { Scenario, TortureContext } from './scenario.ts';

const MIB = 1_048_576;
const LENGTH = MIB;
const AT_ONCE = 4;
const THIN_LENGTH = 12 * MIB;
const PARTITION = 40_000;
const NOTICED = 37_500;
const FLOWS = 10_000;
const PORT = 1_883;
const HOUR = 3_600_000;

/** F9 and F16: links with loss, with a low rate, or with an outage. */
export const lossy: Scenario = {
	name: 'lossy',
	about:
		'a link with a round trip of 100 ms and 10 % loss, compared with plain TCP; a link of 5 Mbit/s, later cut for 40 s',
	needs: () => ({
		disk: 10 * THIN_LENGTH,
		minutes: 4,
		other: 'root on Linux, /dev/net/tun, ip and python3',
		missing: whyNoBadLink(),
	}),
	async run(t) {
		await lossyLink(t);
		await thinLink(t);
	},
};

async function lossyLink(t: TortureContext): Promise<void> {
	const seed = Math.floor(t.random() * 1e6);
	const link = await BadLink.open(t, { delay: 50, loss: 10, seed });
	const { shares, broker } = await startNear(t, link, AT_ONCE, LENGTH);
	const server = script(t, link.near, 'plain-tcp.js', 'serve', String(LENGTH));
	await once(server.stdout as NodeJS.ReadableStream, 'data');
	// Plain TCP and shoal run at the same time, so both have the same loss.
	const plain = Array.from({ length: AT_ONCE }, () =>
		printed(script(t, link.far, 'plain-tcp.js', link.address)),
	);
	const gets = shares.map(({ id }, index) => getFar(t, link, id, join(t.folder, `copy-${index}`)));
	const took = await Promise.all(gets.map((get) => durationOf(get)));
	const plainly = (await Promise.all(plain)).map(Number);
	const mean = (all: readonly number[]): number =>
		all.reduce((sum, ms) => sum + LENGTH / ms, 0) / all.length;
	t.note('plain TCP', `${formatRate(mean(plainly) * 1_000)} each`);
	t.note('shoal', `${formatRate(mean(took) * 1_000)} each`);
	const part = mean(took) / mean(plainly);
	t.check('F16: at least 80 % of the plain TCP rate', part >= 0.8, `${Math.round(part * 100)} %`);
	for (const [index, { digest }] of shares.entries()) {
		t.check('every byte is right', (await sha256(join(t.folder, `copy-${index}`))) === digest);
	}
	checkOnline(t, 'F16', [...gets, ...shares.map(({ process }) => process)]);
	await end([...shares.map(({ process }) => process), broker]);
	server.kill('SIGKILL');
	await link.close();
}

async function thinLink(t: TortureContext): Promise<void> {
	const link = await BadLink.open(t, { delay: 10, loss: 0, rate: 5, queue: 200, seed: 1 });
	const { shares, broker } = await startNear(t, link, 1, THIN_LENGTH, 3);
	const [{ id, digest }] = shares as [Shared];
	const asking = script(t, link.far, 'ask-often.js', urlOf(link), id);
	const longest = printed(asking);
	const output = join(t.folder, 'thin');
	const get = getFar(t, link, id, output);
	await until('half of it is there', () => haveOf(get) > THIN_LENGTH / 2, HOUR);
	asking.kill('SIGTERM');
	const ms = Number(await longest);
	t.check('F16: on 5 Mbit/s a query is answered within 2 s', ms < 2_000, formatTime(ms));
	checkOnline(t, 'F16', [get, ...shares.map(({ process }) => process)]);
	link.toggle();
	const cutAt = performance.now();
	await sleep(PARTITION);
	const offline = get.all('offline').at(-1);
	const noticed = Number(offline?.at) - cutAt;
	t.check(
		'F9: a cut is noticed within 2.5 times the keepalive of 15 s',
		noticed < NOTICED,
		offline === undefined ? 'never' : formatTime(noticed),
	);
	const before = haveOf(get);
	link.toggle();
	const mendedAt = performance.now();
	await until('bytes flow again', () => haveOf(get) > before || get.code !== undefined, HOUR);
	const flows = performance.now() - mendedAt;
	t.check('F9: bytes arrive 10 s after the end of the cut', flows < FLOWS, formatTime(flows));
	t.check(
		'F9: the download completes',
		(await get.exit(HOUR)) === 0 && (await sha256(output)) === digest,
	);
	await end([...shares.map(({ process }) => process), broker]);
	await link.close();
}

interface Shared {
	readonly id: string;
	readonly digest: string;
	readonly process: Shoal;
}

/** Starts a broker on the near host, and files that are each shared there by `seeders` nodes. */
async function startNear(
	t: TortureContext,
	link: BadLink,
	files: number,
	length: number,
	seeders = 1,
): Promise<{ broker: Shoal; shares: Shared[] }> {
	const listen = ['--host', link.address, '--port', String(PORT)];
	const broker = new Shoal(t, ['broker', ...listen], undefined, link.near);
	await broker.event('listening');
	const shares: Shared[] = [];
	for (let index = 0; index < files; index += 1) {
		const path = join(t.folder, `source-${index}`);
		const digest = await randomFile(path, length);
		for (let seeder = 0; seeder < seeders; seeder += 1) {
			const over = ['--broker', urlOf(link), '--lane', 'broker'];
			const process = new Shoal(t, ['share', path, ...over], undefined, link.near);
			const { id } = await process.event('sharing');
			shares.push({ id: id as string, digest, process });
		}
	}
	return { broker, shares };
}

function getFar(t: TortureContext, link: BadLink, id: string, output: string): Shoal {
	const over = ['--broker', urlOf(link), '--lane', 'broker'];
	return new Shoal(t, ['get', id, '-o', output, '--no-linger', ...over], undefined, link.far);
}

/** Returns the time from the start of fetching to `complete`, ms. */
async function durationOf(get: Shoal): Promise<number> {
	const { at } = await get.event('complete', HOUR);
	const began = get.all('progress').find(({ phase }) => phase === 'fetching');
	return at - Number(began?.at);
}

function haveOf(get: Shoal): number {
	return Number(get.all('progress').at(-1)?.have ?? 0);
}

function checkOnline(t: TortureContext, number: string, all: readonly Shoal[]): void {
	const lost = all.flatMap((each) => each.all('offline'));
	t.check(`${number}: no connection is lost`, lost.length === 0, lost[0]?.message as string);
}

function urlOf(link: BadLink): string {
	return `mqtt://${link.address}:${PORT}`;
}

function script(
	t: TortureContext,
	host: readonly string[],
	name: string,
	...args: string[]
): ChildProcess {
	const path = fileURLToPath(new URL(`./${name}`, import.meta.url));
	const [program = '', ...before] = [...host, process.execPath, path, ...args];
	const child = spawn(program, before, { stdio: ['ignore', 'pipe', 'inherit'] });
	t.defer(() => child.kill('SIGKILL'));
	return child;
}

/** Returns the output of a process after its end. */
async function printed(child: ChildProcess): Promise<string> {
	let text = '';
	child.stdout?.on('data', (data) => {
		text += data;
	});
	await once(child, 'exit');
	return text;
}

async function end(all: readonly Shoal[]): Promise<void> {
	await Promise.all(all.map((each) => each.end()));
}
