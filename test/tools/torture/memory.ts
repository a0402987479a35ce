import { join } from 'node:path';
import { formatBytes } from '../../../node/cli/terminal/units.ts';
import { type Progress, ShoalNode } from '../../../node/index.ts';
import { CACHELESS, randomFile, Shoal, sha256 } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import { MemoryGroup, whyNoMemoryGroup } from './memory-group.ts';
import { MIB, sourceOf } from './rig.ts';
import type { Scenario, TortureContext } from './scenario.ts';
import { slowLink } from './slow-link.ts';

const LENGTH = 512 * MIB;
const MOST = { broker: 256 * MIB, seeder: 128 * MIB, downloader: 128 * MIB };
const SLOW_NODES = 50;
/** Bytes per second. */
const BEFORE = 500_000;
const SLOW = 20_000;
const ENOUGH = 2 * MIB;
const EVERY = 100;
const MINUTE = 60_000;

type Role = keyof typeof MOST;

/** F22: memory is limited, and the kernel kills a process that takes more. */
export const memory: Scenario = {
	name: 'memory',
	about: `a broker within ${formatBytes(MOST.broker)} of memory, a seeder and downloaders within ${formatBytes(MOST.seeder)} each, and ${SLOW_NODES} others that read slowly`,
	needs: () => ({
		disk: 3 * LENGTH,
		minutes: 2,
		other: 'root on Linux, and memory cgroups of version 1',
		missing: whyNoMemoryGroup(),
	}),
	async run(t) {
		const digest = await randomFile(sourceOf(t), LENGTH);
		const groups = {
			broker: new MemoryGroup(t, 'broker', MOST.broker),
			seeder: new MemoryGroup(t, 'seeder', MOST.seeder),
			downloader: new MemoryGroup(t, 'downloader', MOST.downloader),
		};
		const start = (role: Role, args: readonly string[]): Shoal =>
			new Shoal(t, args, CACHELESS, groups[role].within);
		const peaks = watch(t, groups);
		const broker = start('broker', ['broker', '--port', '0']);
		const url = String((await broker.event('listening')).url);
		const seeder = start('seeder', ['share', sourceOf(t), '--broker', url]);
		const id = String((await seeder.event('sharing', MINUTE)).id);
		await comeSlowly(t, id, Number(new URL(url).port));
		for (const lane of ['broker', 'direct']) {
			const path = join(t.folder, `copy-${lane}`);
			const args = ['get', id, '-o', path, '--broker', url, '--lane', lane, '--no-linger'];
			const downloader = start('downloader', args);
			const code = await downloader.exit(5 * MINUTE);
			const isRight = code === 0 && (await sha256(path)) === digest;
			t.check(`F22: a download by lane ${lane} is right`, isRight, `${code}`);
		}
		for (const role of Object.keys(groups) as Role[]) {
			const { kills } = groups[role];
			const text = `${formatBytes(peaks.get(role) ?? 0)} at most, without the page cache`;
			t.check(`F22: no ${role} is killed for lack of memory`, kills === 0, text);
		}
		t.check(
			'F22: broker and seeder still run',
			broker.code === undefined && seeder.code === undefined,
		);
	},
};

/**
 * Starts nodes that download at a good rate at first, so that many bytes are on the way to each,
 * and then read slowly.
 */
async function comeSlowly(t: TortureContext, id: string, port: number): Promise<void> {
	let rate = BEFORE;
	const url = await slowLink(t, port, () => rate);
	const waiting = new Set<number>();
	let failed = 0;
	for (let index = 0; index < SLOW_NODES; index += 1) {
		const node = await ShoalNode.start({ broker: url, lane: 'broker', listen: false });
		waiting.add(index);
		const output = join(t.folder, `slow-${index}`);
		const onProgress = ({ have }: Progress): void => {
			if (have > ENOUGH) {
				waiting.delete(index);
			}
		};
		const ended = node.get(id, { output, onProgress }).catch(() => {
			failed += 1;
		});
		t.defer(async () => {
			await node.close();
			await ended;
		});
	}
	await until('all nodes have some bytes', () => waiting.size === 0 || failed > 0, 3 * MINUTE);
	rate = SLOW;
	t.check('the slow nodes download', failed === 0);
	t.note('reading slowly', `${SLOW_NODES} at ${formatBytes(SLOW)}/s each`);
}

/** @returns the peak memory of each group, without the page cache, bytes */
function watch(t: TortureContext, groups: Record<Role, MemoryGroup>): ReadonlyMap<Role, number> {
	const peaks = new Map<Role, number>();
	const timer = setInterval(() => {
		for (const role of Object.keys(groups) as Role[]) {
			peaks.set(role, Math.max(peaks.get(role) ?? 0, groups[role].anonymous));
		}
	}, EVERY);
	t.defer(() => clearInterval(timer));
	return peaks;
}
