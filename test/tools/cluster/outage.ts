import { join } from 'node:path';
import type { Tracker } from '../../../broker/index.ts';
import { ShoalNode } from '../../../node/index.ts';
import type { LaneKind } from '../../../node/lanes/lane.ts';
import { DEFAULT_LIMITS } from '../../../protocol/index.ts';
import { delivers } from '../../helpers/clusters/cluster.ts';
import { until } from '../../helpers/harness/until.ts';
import type { ClusterContext, ClusterScenario } from './scenario.ts';
import {
	listingOf,
	MIB,
	makeFile,
	type RandomFile,
	RunningDownload,
	startNode,
	startTracker,
} from './swarm.ts';

const LENGTH = 48 * MIB;
const RATE = 4 * MIB;
/** Short, so that what remains of a dead node is gone soon. */
const TTL = 6_000;
const LIMITS = { ttl: TTL, renewal: 2_000 };
/** ms between two checks of the tracker for expired announces, and some more for the message. */
const SWEEP = 1_500;
const MOST_MOVE = 2_000;
const MOST_PAUSE = 3_000;
const DEADLINE = 90_000;

/** A server dies while a seeder and a downloader are connected to it. */
export const killed: ClusterScenario = {
	name: 'killed',
	about: 'one of three servers is killed in mid-transfer, with the seeder and the downloader on it',
	async run(t) {
		const swarm = await startSwarm(t);
		await swarm.download.reaches(LENGTH / 8);
		const { node, seeder } = swarm;
		const watch = new Watch(t, swarm);
		const killedAt = performance.now();
		await t.cluster.kill(1);
		await until('both have noticed', () => watch.losses === 2);
		await until('both are connected', () => isUp(node) && isUp(seeder));
		t.figure(
			'on another server',
			performance.now() - killedAt,
			'ms',
			MOST_MOVE + t.cluster.election,
		);
		await until('the ghost is gone', () => swarm.tracker.stats().announces === 2, DEADLINE);
		t.figure('ghost gone', performance.now() - killedAt, 'ms', TTL + SWEEP + t.cluster.election);
		await finish(t, swarm, watch);
		t.figure('longest pause of the transfer', watch.pause, 'ms', MOST_PAUSE + t.cluster.election);
		await t.cluster.start(1);
	},
};

/** A server dies, but not the direct lane between its clients. */
export const killedDirect: ClusterScenario = {
	name: 'killed-direct',
	about: 'the same while the seeder sends on a direct lane',
	async run(t) {
		const swarm = await startSwarm(t, 'direct');
		await swarm.download.reaches(LENGTH / 8);
		const watch = new Watch(t, swarm);
		await t.cluster.kill(1);
		await finish(t, swarm, watch);
		t.figure('longest pause of the transfer', watch.pause, 'ms', MOST_PAUSE);
		await t.cluster.start(1);
	},
};

/** Two servers die, and one returns. */
export const twoKilled: ClusterScenario = {
	name: 'two-killed',
	about: 'two of three servers are killed in mid-transfer, and one is started again after a second',
	async run(t) {
		const swarm = await startSwarm(t);
		await swarm.download.reaches(LENGTH / 8);
		const watch = new Watch(t, swarm);
		await Promise.all([t.cluster.kill(1), t.cluster.kill(2)]);
		await new Promise((resolve) => setTimeout(resolve, 1_000));
		await t.cluster.start(1);
		const [first = '', second = ''] = t.cluster.urls;
		const listening = performance.now();
		await until('both servers work', () => delivers(first, second), DEADLINE);
		const backAt = performance.now();
		t.figure('server works after it listens', backAt - listening, 'ms');
		const { download } = swarm;
		const before = download.received;
		const flows = (): boolean => download.received > before || download.have === LENGTH;
		await until('bytes flow', flows, DEADLINE);
		t.figure(
			'transfer goes on after that',
			performance.now() - backAt,
			'ms',
			MOST_PAUSE + t.cluster.election,
		);
		await finish(t, swarm, watch);
		t.figure('longest pause of the transfer', watch.pause, 'ms');
		await t.cluster.start(2);
	},
};

interface Swarm {
	readonly tracker: Tracker;
	readonly seeder: ShoalNode;
	readonly node: ShoalNode;
	readonly id: string;
	readonly file: RandomFile;
	readonly download: RunningDownload;
}

/**
 * Starts a tracker on the first server, and a download whose two nodes are on the second. A third
 * node knows no other server than the second, so it is a ghost when that server dies.
 */
async function startSwarm(t: ClusterContext, lane: LaneKind = 'broker'): Promise<Swarm> {
	const tracker = await startTracker(t, 0, { limits: LIMITS });
	const file = await makeFile(t, 'file.bin', LENGTH);
	const seeder = await startNode(t, 1, { lane, maxUp: RATE });
	const { seed } = await seeder.share(file.path);
	const ghost = await ShoalNode.start({ broker: t.cluster.urls[1], listen: false });
	t.defer(() => ghost.close());
	await ghost.share((await makeFile(t, 'ghost.bin', 1_000)).path);
	const node = await startNode(t, 1, { lane });
	const download = new RunningDownload(node, seed.id, join(t.folder, 'copy.bin'));
	return { tracker, seeder, node, id: seed.id, file, download };
}

/** Waits for the end of the download, and checks what it cost. */
async function finish(t: ClusterContext, { download, file }: Swarm, watch: Watch): Promise<void> {
	await download.completes(file);
	watch.stop();
	const again = download.received - LENGTH;
	t.figure('bytes received again', again, 'bytes', DEFAULT_LIMITS.outstanding);
	t.figure('double listings', watch.doubles, '', 0);
}

/** Looks at a swarm again and again. */
class Watch {
	/** The longest time in which the downloader received nothing, ms. */
	pause = 0;
	/** The most nodes that the tracker listed beyond those that there are. */
	doubles = 0;
	/** How often one of the two nodes lost its connection. */
	losses = 0;
	readonly #timers: ReadonlyArray<ReturnType<typeof setInterval>>;

	constructor(t: ClusterContext, { seeder, node, download, id }: Swarm) {
		for (const each of [seeder, node]) {
			each.on('down', () => {
				this.losses += 1;
			});
		}
		let [bytes, since] = [download.received, performance.now()];
		const look = (): void => {
			if (download.received !== bytes || download.have === LENGTH) {
				[bytes, since] = [download.received, performance.now()];
			}
			this.pause = Math.max(this.pause, performance.now() - since);
		};
		const ask = async (): Promise<void> => {
			const listing = await listingOf(node, id);
			const listed = (listing?.seeders ?? 0) + (listing?.downloaders ?? 0);
			this.doubles = Math.max(this.doubles, listed - 2);
		};
		this.#timers = [setInterval(look, 20), setInterval(() => void ask(), 200)];
		t.defer(() => this.stop());
	}

	stop(): void {
		for (const timer of this.#timers) {
			clearInterval(timer);
		}
	}
}

function isUp(node: ShoalNode): boolean {
	return node.stats().isConnected;
}
