import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ShoalNode } from '../../../node/index.ts';
import { until } from '../../helpers/harness/until.ts';
import type { ClusterContext, ClusterScenario } from './scenario.ts';
import { from, makeFile, startNode } from './swarm.ts';

const PROGRAM = fileURLToPath(new URL('./tracker-process.js', import.meta.url));
export const MOST_SILENCE = 3_000;
const ASK_EVERY = 100;
/** ms after a fault in which a query must have been answered. */
const OBSERVED = 8_000;

/** Two trackers, of which the active one is lost twice. */
export const trackers: ClusterScenario = {
	name: 'trackers',
	about: 'of two trackers on different servers, the active one is killed; later its server is',
	async run(t) {
		const first = await TrackerProcess.start(t, 0);
		const second = await TrackerProcess.start(t, 1);
		const node = await startNode(t, 2);
		const { seed } = await node.share((await makeFile(t, 'file.bin', 1_000)).path);
		const asking = new Asking(t, node, seed.id);
		await until('a query is answered', () => asking.answers > 0);
		t.figure('active trackers', countReady(first, second), '', 1);
		await first.kill();
		await silence(t, asking, 'no answer after the active tracker is killed');
		const third = await TrackerProcess.start(t, 0);
		t.figure('active trackers', countReady(second, third), '', 1);
		const place = second.isReady ? 1 : 0;
		await t.cluster.kill(place);
		const most = MOST_SILENCE + t.cluster.election;
		await silence(t, asking, 'no answer after its server is killed', most);
		await t.cluster.start(place);
	},
};

/** Records the longest time without an answer from now on. */
async function silence(
	t: ClusterContext,
	asking: Asking,
	name: string,
	most = MOST_SILENCE,
): Promise<void> {
	const longest = await asking.silence(OBSERVED);
	t.figure(name, longest, 'ms', most);
}

export function countReady(...all: readonly TrackerProcess[]): number {
	return all.filter(({ isReady }) => isReady).length;
}

/** A tracker in a process of its own. */
export class TrackerProcess {
	readonly #child: ChildProcess;
	#role: unknown;

	private constructor(child: ChildProcess) {
		this.#child = child;
		child.on('message', (role) => {
			this.#role = role;
		});
	}

	/** Starts a tracker; resolves when it is active or stands by. @param first its first server */
	static async start(t: ClusterContext, first: number): Promise<TrackerProcess> {
		const options = { url: from(t.cluster.urlsOf('tracker'), first) };
		const tracker = new TrackerProcess(fork(PROGRAM, [JSON.stringify(options)]));
		t.defer(() => tracker.kill());
		await until('the tracker has a role', () => tracker.#role !== undefined);
		return tracker;
	}

	/** Whether it is active and connected. */
	get isReady(): boolean {
		return this.#role === 'ready';
	}

	/** Ends it with SIGKILL; does nothing if it has ended. */
	async kill(): Promise<void> {
		if (this.#child.exitCode === null && this.#child.signalCode === null) {
			const ended = once(this.#child, 'exit');
			this.#child.kill('SIGKILL');
			await ended;
			this.#role = undefined;
		}
	}
}

/** A node that asks the tracker ten times a second. */
export class Asking {
	/** Queries that were answered. */
	answers = 0;
	#lastAnswer = performance.now();
	#longest = 0;

	constructor(t: ClusterContext, node: ShoalNode, id: string) {
		const ask = async (): Promise<void> => {
			await node.who(id);
			this.answers += 1;
			this.#note();
			this.#lastAnswer = performance.now();
		};
		const timer = setInterval(() => void ask().catch(() => {}), ASK_EVERY);
		t.defer(() => clearInterval(timer));
	}

	/** Observes for `ms`, and until there is an answer. @returns the longest time without an answer, ms */
	async silence(ms: number): Promise<number> {
		this.#longest = 0;
		this.#lastAnswer = performance.now();
		await new Promise((resolve) => setTimeout(resolve, ms));
		const before = this.answers;
		await until('a query is answered', () => this.answers > before);
		return this.#longest;
	}

	#note(): void {
		this.#longest = Math.max(this.#longest, performance.now() - this.#lastAnswer);
	}
}
