import { readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { encodeJson, Topics } from '../../protocol/index.ts';
import { state } from '../helpers/fixtures/registry.ts';
import { Member } from '../helpers/harness/member.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { judge } from '../helpers/harness/timing.ts';
import { openTab } from './chromium.ts';
import { spawnServed } from './served.ts';

// SHOAL_MINUTES=10 measures the growth of the page for ten minutes.

const MINUTES = Number(process.env.SHOAL_MINUTES ?? 0.1);
const NODES = 100;
const SEEDS_EACH = 10;
const CHUNKS = 400;
/** A fraction of one core; it is about 0.05 on an idle machine. */
const MOST_CPU = 0.3;

const test = suite('a page in a large swarm', { timeout: 300_000 + 6 * MINUTES * 60_000 });
const topics = new Topics();

/** A process: its parent, its command line, and its processor time, ms. */
interface Process {
	readonly pid: number;
	readonly parent: number;
	readonly command: string;
	readonly ms: number;
}

function processes(): Process[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.flatMap((pid) => {
			try {
				const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
				const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
				const ms = (Number(fields[11]) + Number(fields[12])) * 10;
				return [{ pid: Number(pid), parent: Number(fields[1]), command, ms }];
			} catch {
				// The process has ended meanwhile.
				return [];
			}
		});
}

/**
 * Returns the processor time of the browser with that profile, ms: of its renderers, and of all its
 * processes.
 */
function cpuOf(profile: string): { renderers: number; all: number } {
	const every = processes();
	const family = every.filter(({ command }) => command.includes(profile));
	for (const { pid } of family) {
		family.push(...every.filter((each) => each.parent === pid && !family.includes(each)));
	}
	const sum = (some: Process[]): number => some.reduce((total, { ms }) => total + ms, 0);
	const renderers = family.filter(({ command }) => command.includes('--type=renderer'));
	return { renderers: sum(renderers), all: sum(family) };
}

/**
 * Starts a hundred nodes that each download ten files of their own, and announce their progress
 * every second.
 */
async function liveSwarm(t: Scope, url: string): Promise<void> {
	const members: Member[] = [];
	for (let index = 0; index < NODES; index += 1) {
		members.push(await Member.join(t, url, `desk-${String(index).padStart(4, '0')}`));
	}
	let round = 0;
	const tell = async (member: Member, index: number): Promise<void> => {
		const have = (round * 3 + index) % CHUNKS;
		const digit = Math.floor((have / CHUNKS) * 15).toString(16);
		for (let seed = round % 2; seed < SEEDS_EACH; seed += 2) {
			const number = index * SEEDS_EACH + seed;
			const about = { name: `file ${number}.bin`, length: CHUNKS * 262_144, chunks: CHUNKS };
			const map = { count: have, map: digit.repeat(64) };
			await member.share(number.toString(16).padStart(64, '0'), 0, { ...about, have: map });
		}
		const rate = 1_000_000 + ((index * 7_919 + round * 104_729) % 9_000_000);
		const others = [1, 2, 3].map((step) => members[(index + step * 7) % NODES]?.id as string);
		const sources = others.map((node) => ({ node, lane: 'direct' as const, rate }));
		const now = { ...state(member.link.session), up: rate, down: 3 * rate, sources };
		await member.link.retain(topics.nodeState(member.id), encodeJson(now));
	};
	const everybody = async (): Promise<void> => {
		await Promise.all(members.map(tell));
		round += 1;
	};
	await everybody();
	await everybody();
	const timer = setInterval(() => void everybody().catch(() => {}), 1_000);
	t.defer(() => clearInterval(timer));
}

test('with a hundred nodes and a thousand seeds the page uses a small part of one core, and its memory does not grow', async (t) => {
	const { url, page: address } = await spawnServed(t);
	await liveSwarm(t, url);
	const { page, context, profile, trouble } = await openTab(t, address, { keepsReports: true });
	await page.getByText('1000').first().waitFor();
	const cdp = await context.newCDPSession(page);
	const heap = async (): Promise<number> => {
		await cdp.send('HeapProfiler.collectGarbage');
		return (await cdp.send('Runtime.getHeapUsage')).usedSize;
	};
	for (const view of ['seeds', 'nodes']) {
		await page.goto(`${address}/#${view}`);
		await page.waitForTimeout(3_000);
		const heapBefore = await heap();
		await judge(`${view}: page and node`, { unit: 'cores', most: MOST_CPU }, async () => {
			const [before, at] = [cpuOf(profile), performance.now()];
			await page.waitForTimeout(MINUTES * 60_000);
			const [after, ms] = [cpuOf(profile), performance.now() - at];
			const whole = (after.all - before.all) / ms;
			console.log(`the browser in all ${whole.toFixed(3)} of a core in ${Math.round(ms)} ms`);
			return (after.renderers - before.renderers) / ms;
		});
		const grown = (await heap()) - heapBefore;
		console.log(`heap ${grown} bytes more`);
		assert.ok(grown < 3_000_000, `${view}: the page has grown by ${grown} bytes`);
	}
	assert.equal(trouble, []);
});

test.run();
