import { setTimeout as sleep } from 'node:timers/promises';
import { formatBytes, formatRate, formatTime } from '../../../node/cli/terminal/units.ts';
import { ShoalNode } from '../../../node/index.ts';
import { peakBytes } from '../../helpers/harness/proc.ts';
import { MIB, Rig } from './rig.ts';
import type { Scenario, TortureContext } from './scenario.ts';
import { slowLink } from './slow-link.ts';

const LENGTH = 512 * MIB;
const EACH = 15_000_000;
const SLOW = 2_000_000;
const MOST_MEMORY = 250_000_000;
const SAMPLES = 300;

/** F7 and F8: a seeder and a downloader are frozen while their connections stay open. */
export const freeze: Scenario = {
	name: 'freeze',
	about: 'one of three seeders is frozen; a downloader is frozen and another reads slowly',
	needs: () => ({ disk: 6 * LENGTH, minutes: 2 }),
	async run(t) {
		await freezeSeeder(t);
		await freezeDownloader(t);
	},
};

async function freezeSeeder(t: TortureContext): Promise<void> {
	const rig = await Rig.start(t, { length: LENGTH, seeders: 3, maxUp: `${EACH / 1_000_000}MB` });
	const getter = rig.get('copy.bin');
	await getter.reaches(LENGTH / 8);
	rig.shares[0]?.signal('SIGSTOP');
	const frozenAt = performance.now();
	await sleep(8_000);
	const rate = getter.rate(frozenAt + 3_000, frozenAt + 8_000);
	t.check(
		'F7: 3 s after one of three seeders is frozen, the other two reach 90 % of their rate',
		rate >= 0.9 * 2 * EACH,
		formatRate(rate),
	);
	rig.shares[0]?.signal('SIGCONT');
	await getter.completes(t, rig.digest);
	t.note('received twice', formatBytes(getter.received - LENGTH));
	await Promise.all([...rig.shares, rig.broker].map((process) => process?.end()));
}

async function freezeDownloader(t: TortureContext): Promise<void> {
	const rig = await Rig.start(t, { length: LENGTH, seeders: 1, maxUp: '40MB' });
	const slowUrl = await slowLink(t, Number(new URL(rig.url).port), () => SLOW);
	const [frozen, slow, ...others] = ['a', 'b', 'c', 'd'].map((name, index) =>
		rig.get(`copy-${name}`, { flags: index === 1 ? ['--broker', slowUrl] : [] }),
	);
	await Promise.all([frozen?.reaches(MIB), ...others.map((other) => other.reaches(MIB))]);
	const watcher = await ShoalNode.start({ broker: rig.url, listen: false });
	t.defer(() => watcher.close());
	frozen?.process.signal('SIGSTOP');
	const times: number[] = [];
	for (let sample = 0; sample < SAMPLES && !others.every(({ hasEnded }) => hasEnded); sample += 1) {
		const start = performance.now();
		await watcher.who(rig.id);
		times.push(performance.now() - start);
		await sleep(20);
	}
	const p99 = times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
	t.check(
		'F8: the 99th percentile of a query to the tracker is below 100 ms',
		p99 < 100,
		formatTime(p99),
	);
	const memory = peakBytes(rig.broker?.pid ?? 0);
	t.check(
		`the broker stays within ${formatBytes(MOST_MEMORY)}`,
		memory < MOST_MEMORY,
		formatBytes(memory),
	);
	for (const other of others) {
		await other.completes(t, rig.digest);
	}
	await frozen?.process.end();
	await slow?.process.end();
}
