import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, formatTime } from '../../../node/cli/terminal/units.ts';
import { ShoalNode } from '../../../node/index.ts';
import { DEFAULT_LIMITS } from '../../../protocol/index.ts';
import { residentBytes } from '../../helpers/harness/proc.ts';
import { Shoal } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import { type Getter, MIB, Rig } from './rig.ts';
import type { Scenario, TortureContext } from './scenario.ts';

const LENGTH = 192 * MIB;
const OTHERS = 50;
const SEEDERS = 3;
const LONG = 10;
const SHORT_OUTAGE = 5_000;
const MOST_GROWTH = 5_000_000;
const MINUTE = 60_000;

/** F1 and F2: the broker is killed during a transfer, and is started again after a while. */
export const broker: Scenario = {
	name: 'broker',
	about: `the broker is killed twice during a transfer, and is back after 5 s, then after --minutes (${LONG})`,
	needs: () => ({ disk: 2 * LENGTH, minutes: 1 + LONG }),
	async run(t) {
		const rig = await Rig.start(t, { length: LENGTH, seeders: SEEDERS, maxUp: '5MB' });
		await shareOthers(t, rig);
		const getter = rig.get('copy.bin');
		await getter.reaches(LENGTH / 8);
		const second = await outage(t, rig, getter, { process: rig.broker as Shoal, ms: SHORT_OUTAGE });
		await getter.reaches(LENGTH / 2);
		const minutes = t.minutes ?? LONG;
		await outage(t, rig, getter, { process: second, ms: minutes * MINUTE });
		await getter.completes(t, rig.digest);
		const again = getter.received - LENGTH;
		t.check(
			'F1: for each outage, at most one window of bytes is received twice',
			again <= 2 * DEFAULT_LIMITS.outstanding,
			formatBytes(again),
		);
	},
};

/** Starts nodes that each share a small file, so that there are many announces to be repeated. */
async function shareOthers(t: TortureContext, rig: Rig): Promise<void> {
	for (let index = 0; index < OTHERS; index += 1) {
		const path = join(t.folder, `other-${index}`);
		await writeFile(path, `the file ${index}`);
		const node = await ShoalNode.start({ broker: rig.url, listen: false });
		t.defer(() => node.close());
		await node.share(path);
	}
}

/** Kills the broker, and starts it again after a while. @returns the new process */
async function outage(
	t: TortureContext,
	rig: Rig,
	getter: Getter,
	{ process, ms }: { process: Shoal; ms: number },
): Promise<Shoal> {
	const all = [getter.process, ...rig.shares];
	process.signal('SIGKILL');
	await process.exit();
	await new Promise((resolve) => setTimeout(resolve, SHORT_OUTAGE / 2));
	const resident = all.map(({ pid }) => residentBytes(pid));
	const before = getter.have;
	await new Promise((resolve) => setTimeout(resolve, ms - SHORT_OUTAGE / 2));
	const growth = Math.max(...all.map(({ pid }, at) => residentBytes(pid) - Number(resident[at])));
	t.check(
		`F2: no process grows by ${formatBytes(MOST_GROWTH)} in ${formatTime(ms)}`,
		growth < MOST_GROWTH,
		formatBytes(Math.max(0, growth)),
	);
	const next = new Shoal(t, ['broker', '--port', new URL(rig.url).port]);
	const { at } = await next.event('listening');
	const watcher = await ShoalNode.start({ broker: rig.url, listen: false });
	t.defer(() => watcher.close());
	const announced = listed(watcher, OTHERS + SEEDERS);
	await until('bytes flow again', () => getter.have > before, MINUTE);
	const first = getter.process.all('progress').find(({ have }) => Number(have) > before);
	const flows = Number(first?.at) - at;
	t.check('F1: bytes flow within 3 s', flows < 3_000, formatTime(flows));
	const whole = (await announced) - at;
	t.check('F1: every announce is back within 5 s', whole < 5_000, formatTime(whole));
	return next;
}

/** Waits until the tracker lists at least that number of seeders. @returns the time, ms */
async function listed(node: ShoalNode, least: number): Promise<number> {
	await until(
		'every announce is back',
		async () => {
			let seeders = 0;
			for await (const seed of node.seeds()) {
				seeders += seed.seeders;
			}
			return seeders >= least;
		},
		MINUTE,
	);
	return performance.now();
}
