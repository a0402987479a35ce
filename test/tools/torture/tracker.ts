import { formatTime } from '../../../node/cli/terminal/units.ts';
import { ShoalNode } from '../../../node/index.ts';
import { startPlainBroker } from '../../helpers/harness/plain-broker.ts';
import { Shoal } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import { MIB, Rig } from './rig.ts';
import type { Scenario } from './scenario.ts';

const LENGTH = 256 * MIB;
const STOPPED_FOR = 60_000;
const DEAD_FOR = 5_000;
const SEEDERS = 3;
/** The longest time without new bytes in a download that is not disturbed, ms. */
const MOST_PAUSE = 1_000;

/** F3 and F4: the tracker is frozen, and later killed. */
export const tracker: Scenario = {
	name: 'tracker',
	about: 'the tracker is frozen for 60 s, continues, is killed, and is back after 5 s',
	needs: () => ({ disk: 2 * LENGTH, minutes: 2 }),
	async run(t) {
		const { url } = await startPlainBroker(t);
		const start = (): Shoal => new Shoal(t, ['tracker', '--broker', url]);
		const first = start();
		const rig = await Rig.start(t, { length: LENGTH, seeders: SEEDERS, maxUp: '1MB', url });
		const getter = rig.get('copy.bin');
		await getter.reaches(8 * MIB);
		first.signal('SIGSTOP');
		await new Promise((resolve) => setTimeout(resolve, STOPPED_FOR));
		first.signal('SIGCONT');
		await new Promise((resolve) => setTimeout(resolve, DEAD_FOR));
		first.signal('SIGKILL');
		await first.exit();
		await new Promise((resolve) => setTimeout(resolve, DEAD_FOR));
		const startedAt = performance.now();
		start();
		const watcher = await ShoalNode.start({ broker: url, listen: false });
		t.defer(() => watcher.close());
		await until('the list is complete', async () => (await seeders(watcher)) >= SEEDERS, 30_000);
		const whole = performance.now() - startedAt;
		t.check('F3: the list is complete 5 s after the start', whole < 5_000, formatTime(whole));
		await getter.completes(t, rig.digest);
		const longest = longestPause(getter.process.all('progress'));
		t.check('F4: the download has no pause of a second', longest < MOST_PAUSE, formatTime(longest));
	},
};

async function seeders(node: ShoalNode): Promise<number> {
	let sum = 0;
	for await (const seed of node.seeds()) {
		sum += seed.seeders;
	}
	return sum;
}

/** Returns the longest time without new bytes, between the first byte and the last, ms. */
function longestPause(
	progress: ReadonlyArray<{ readonly at: number; readonly [field: string]: unknown }>,
): number {
	const steps = progress.filter(({ have }, at) => at === 0 || have !== progress[at - 1]?.have);
	const flowing = steps.filter(
		({ have, length }) => Number(have) > 0 && Number(have) < Number(length),
	);
	return Math.max(0, ...flowing.map(({ at }, index) => at - (flowing[index - 1]?.at ?? at)));
}
