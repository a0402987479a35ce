import { execFileSync } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatBytes } from '../../../node/cli/terminal/units.ts';
import { connectRaw } from '../../helpers/adversaries/raw-client.ts';
import { Shoal } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import { MIB, Rig } from './rig.ts';
import type { Scenario, TortureContext } from './scenario.ts';

const LENGTH = 24 * MIB;
const DISK = 32;
const DESCRIPTORS = 48;
const CROWD = 80;
const MINUTE = 60_000;

/** F12 and F23: a full disk, and a broker without free descriptors. */
export const full: Scenario = {
	name: 'full',
	about: 'a disk becomes full and gets free space again; the broker runs out of descriptors',
	needs: () => ({
		disk: 2 * LENGTH,
		minutes: 1,
		other: 'root on Linux, to mount a small tmpfs; prlimit',
		missing: whatIsMissing(),
	}),
	async run(t) {
		await fillDisk(t);
		await useUpDescriptors(t);
	},
};

function whatIsMissing(): string | undefined {
	if (process.platform !== 'linux' || process.getuid?.() !== 0) {
		return 'it needs root on Linux';
	}
	try {
		execFileSync('prlimit', ['--version']);
		return undefined;
	} catch {
		return 'it needs prlimit: install util-linux';
	}
}

async function fillDisk(t: TortureContext): Promise<void> {
	const disk = join(t.folder, 'disk');
	await mkdir(disk);
	execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}m`, 'tmpfs', disk]);
	t.defer(() => execFileSync('umount', ['-l', disk]));
	const rig = await Rig.start(t, { length: LENGTH, seeders: 1, maxUp: '8MB' });
	const first = rig.get('disk/copy.bin');
	await first.reaches(LENGTH / 4);
	const { bavail, bsize } = await statfs(disk);
	await writeFile(join(disk, 'other'), new Uint8Array(bavail * bsize - 2 * MIB));
	const code = await first.process.exit(MINUTE);
	const error = first.process.events.find(({ event }) => event === 'error');
	t.check(
		'F12: the download ends and says what to do',
		code === 1 && /make room/.test(String(error?.message)),
		String(error?.message),
	);
	first.checkTrace(t);
	await rm(join(disk, 'other'));
	const next = rig.get('disk/copy.bin');
	await next.reaches(LENGTH, MINUTE);
	await next.completes(t, rig.digest, MINUTE);
	const again = next.received + first.have - LENGTH;
	t.check(
		'F12: no byte that was stored is fetched again',
		again <= 0,
		formatBytes(Math.max(0, again)),
	);
	await Promise.all([...rig.shares, rig.broker].map((process) => process?.end()));
}

async function useUpDescriptors(t: TortureContext): Promise<void> {
	const limited = ['prlimit', `--nofile=${DESCRIPTORS}`];
	const broker = new Shoal(t, ['broker', '--port', '0'], undefined, limited);
	const { url } = await broker.event('listening');
	const rig = await Rig.start(t, {
		length: LENGTH,
		seeders: 1,
		maxUp: '4MB',
		url: url as string,
	});
	const getter = rig.get('copy.bin');
	await getter.reaches(1);
	const port = Number(new URL(rig.url).port);
	const limit = Array.from({ length: CROWD }, (_, index) =>
		connectRaw(t, port, `crowd-${String(index).padStart(4, '0')}`).catch(() => undefined),
	);
	const before = getter.have;
	await Promise.all(limit);
	t.check('F23: the broker without free descriptors still runs', broker.code === undefined);
	t.check('F23: connected nodes are still served', getter.have > before || getter.hasEnded);
	for (const client of await Promise.all(limit)) {
		client?.socket.destroy();
	}
	await sleep(1_000);
	const late = await connectRaw(t, port, 'somebody-late').catch(() => undefined);
	t.check('F23: after the clients have left, a new client can connect', late !== undefined);
	await getter.completes(t, rig.digest, MINUTE);
	await until('the broker still runs', () => broker.code === undefined);
}
