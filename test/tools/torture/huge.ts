import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, formatTime } from '../../../node/cli/terminal/units.ts';
import { ShoalNode } from '../../../node/index.ts';
import { bytesRead } from '../../helpers/harness/proc.ts';
import { MAIN, Shoal, spawnBroker } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import { PeakMemory } from './peak-memory.ts';
import type { Scenario, TortureContext } from './scenario.ts';
import { digestOf, digestOfRange, makeRoom, makeSparseFile } from './sparse-file.ts';

const MIB = 1_048_576;
const GIB = 1_024 * MIB;
const SIZE = 200 * GIB;
/** The most resident bytes that a process may have. */
const MOST_MEMORY = 250_000_000;
/** The bytes of a range, and of the block at its start that is not a hole. */
const RANGE = 96 * MIB;
const BLOCK = 8 * MIB;
/** The bytes that are there when the download is interrupted. */
const INTERRUPTED_AT = 192 * MIB;
const HOUR = 3_600_000;

/** A file larger than any memory and most disks. */
export const huge: Scenario = {
	name: 'huge',
	about:
		'a sparse file of 200 GiB is shared, read in ranges, and partly downloaded with an interruption',
	needs: (size = SIZE) => ({
		disk: 1 * GIB,
		minutes: Math.ceil(1 + (size / GIB) * 0.035),
		other: `Linux for the figures of memory; for the download, ${formatBytes(size)} of free disk or the right to mount a tmpfs of that size`,
	}),
	async run(t) {
		const size = t.size ?? SIZE;
		const source = join(t.folder, 'huge.bin');
		const starts = rangesOf(size, t.random);
		await makeSparseFile(source, size, starts, BLOCK, t.random);
		const memory = new PeakMemory(t);
		const { broker, url } = await spawnBroker(t);
		memory.watch('broker', broker.pid);
		const id = await share(t, memory, source, url);
		await readInProcesses(t, memory, { source, url, id, starts });
		await readInOneNode(t, { source, url, id, starts });
		await fetchPartly(t, memory, { url, id, size });
		for (const [role, bytes] of memory.peaks) {
			t.note(`peak memory, ${role}`, formatBytes(bytes));
			t.check(`the ${role} stays within ${formatBytes(MOST_MEMORY)}`, bytes <= MOST_MEMORY);
		}
	},
};

interface Shared {
	readonly source: string;
	readonly url: string;
	readonly id: string;
	readonly starts: readonly number[];
}

/**
 * Returns the starts of the ranges: the first byte, two random positions, and a position near the
 * end.
 */
function rangesOf(size: number, random: () => number): number[] {
	const between = Array.from({ length: 2 }, () => Math.floor(random() * (size - RANGE)));
	return [0, ...between, size - RANGE - 1].map((start) => start - (start % 4));
}

async function share(
	t: TortureContext,
	memory: PeakMemory,
	source: string,
	url: string,
): Promise<string> {
	const { size } = await stat(source);
	const startedAt = performance.now();
	const seeder = new Shoal(t, ['share', source, '--broker', url]);
	memory.watch('seeder', seeder.pid);
	const timer = setInterval(() => {
		// Every byte is read twice, for the digest of the whole and for the digests of the chunks.
		const part = Math.min(1, bytesRead(seeder.pid) / (2 * size));
		t.say(`hashing ${formatBytes(size)} of holes: ${Math.floor(part * 100)} %`);
	}, 10_000);
	t.defer(() => clearInterval(timer));
	const { id, chunks } = await seeder.event('sharing', HOUR);
	clearInterval(timer);
	const ms = performance.now() - startedAt;
	t.note('hashing', `${formatTime(ms)}, ${formatBytes((size * 1_000) / ms)}/s`);
	t.note('chunks', String(chunks));
	return id as string;
}

/** Reads the ranges with `shoal get -o - --range`, two processes at a time. */
async function readInProcesses(
	t: TortureContext,
	memory: PeakMemory,
	{ source, url, id, starts }: Shared,
): Promise<void> {
	t.say(`reading ${starts.length} ranges of ${formatBytes(RANGE)} with shoal get -o -`);
	const read = async (start: number): Promise<void> => {
		const range = `${start}-${start + RANGE - 1}`;
		const args = [MAIN, 'get', id, '-o', '-', '--range', range, '--broker', url];
		const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
		t.defer(() => child.kill('SIGKILL'));
		memory.watch('reader', child.pid as number);
		const startedAt = performance.now();
		child.stdout.once('readable', () => {
			t.note(`first byte at ${formatBytes(start)}`, formatTime(performance.now() - startedAt));
		});
		const ended = once(child, 'exit');
		const digest = await digestOf(child.stdout);
		const [code] = await ended;
		t.check(
			`bytes ${range} are right`,
			digest === (await digestOfRange(source, start, start + RANGE - 1)) && code === 0,
		);
	};
	for (let index = 0; index < starts.length; index += 2) {
		await Promise.all(starts.slice(index, index + 2).map(read));
	}
}

/** Reads all ranges in one node at the same time. */
async function readInOneNode(
	t: TortureContext,
	{ source, url, id, starts }: Shared,
): Promise<void> {
	t.say(`reading ${starts.length} ranges of ${formatBytes(RANGE)} at the same time, in one node`);
	const node = await ShoalNode.start({ broker: url });
	t.defer(() => node.close());
	const startedAt = performance.now();
	await Promise.all(
		starts.map(async (start) => {
			const end = start + RANGE - 1;
			const digest = await digestOf(node.stream(id, { start, end }));
			t.check(
				`bytes ${start}-${end} are right`,
				digest === (await digestOfRange(source, start, end)),
			);
		}),
	);
	const { total } = node.received;
	t.note(
		'ranges in one node',
		`${formatBytes((total * 1_000) / (performance.now() - startedAt))}/s`,
	);
	const most = starts.length * (RANGE + 2 * 4 * MIB);
	t.check('only the chunks of the ranges are fetched', total <= most, formatBytes(total));
	await node.close();
}

/** Downloads into a file with `shoal get`, interrupts it, and resumes once. */
async function fetchPartly(
	t: TortureContext,
	memory: PeakMemory,
	{ url, id, size }: { url: string; id: string; size: number },
): Promise<void> {
	const folder = join(t.folder, 'copies');
	if (!(await makeRoom(t, folder, size + GIB))) {
		t.note('download', `not tried: no space for ${formatBytes(size)}`);
		t.check('there is space for the download', false, 'see what the scenario needs');
		return;
	}
	let before = 0;
	for (const [round, enough] of [INTERRUPTED_AT, 2 * INTERRUPTED_AT].entries()) {
		t.say(`downloading until ${formatBytes(enough)} are there${round > 0 ? ', once more' : ''}`);
		const startedAt = performance.now();
		const getter = new Shoal(t, ['get', id, '-o', `${folder}/`, '--broker', url]);
		memory.watch('downloader', getter.pid);
		const fetching = () => getter.all('progress').filter(({ phase }) => phase === 'fetching');
		await until(
			'the download to begin',
			() => fetching().length > 0 || getter.code !== undefined,
			HOUR,
		);
		if (getter.code !== undefined) {
			throw new Error(`shoal get has ended: ${JSON.stringify(getter.events.at(-1))}`);
		}
		t.note(`download ${round + 1} fetches after`, formatTime(performance.now() - startedAt));
		const first = Number(fetching()[0]?.have);
		t.check(
			'the stored bytes are kept',
			first >= before,
			`${formatBytes(first)} of ${formatBytes(before)}`,
		);
		await until('enough to be there', () => Number(fetching().at(-1)?.have) >= enough, HOUR);
		before = Number(fetching().at(-1)?.have);
		getter.signal('SIGINT');
		t.check(
			'an interrupted download ends with 130',
			(await getter.exit()) === 130,
			String(getter.code),
		);
	}
	const [part = ''] = await readdir(folder);
	const { blocks } = await stat(join(folder, part));
	t.check('the part file takes the space of fetched bytes', blocks * 512 < 4 * INTERRUPTED_AT);
}
