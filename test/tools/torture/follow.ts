import { randomBytes } from 'node:crypto';
import { existsSync, readlinkSync } from 'node:fs';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Link, Topics } from '../../../protocol/index.ts';
import { d, l, linesIn, plant, type Tree, x } from '../../helpers/fixtures/trees.ts';
import { CACHELESS, Shoal, spawnBroker } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import type { Scenario, TortureContext } from './scenario.ts';

const KILLS = 200;
/** Kills of a follower with releases. */
const RELEASE_KILLS = 60;
/** ms after the start of a follower, within which it is killed. */
const KILLED_WITHIN = 700;
const topics = new Topics();

/** A follower is killed; people change files meanwhile, and somebody replays the first document. */
export const follow: Scenario = {
	name: 'follow',
	about: `shoal follow is killed ${KILLS} times at random moments, then ${RELEASE_KILLS} times with --releases`,
	needs: () => ({ disk: 200 * 1_048_576, minutes: 20 }),
	async run(t) {
		const rig = await startRig(t);
		await killInPlace(t, rig);
		await killWithReleases(t, rig);
	},
};

interface Rig {
	readonly url: string;
	readonly link: string;
	/** Publishes the next version. @returns its number, and its entries */
	publish(): Promise<{ readonly seq: number; readonly lines: readonly string[] }>;
	/** Starts a follower. */
	follow(dir: string, ...args: string[]): Shoal;
	/** Publishes the first document of the channel again, from a client of its own. */
	replay(): Promise<void>;
}

/** Version `seq`: some files are the same in all versions, some are new, changed, moved or of another kind. */
function treeOf(seq: number, same: Buffer): Tree {
	const files = Array.from({ length: 30 }, (_, at) => {
		const moved = (at + seq) % 3 === 0 ? 'x' : 'y';
		return [`${moved}/${at}`, randomBytes((at * 997 + seq * 31) % 40_000)] as const;
	});
	return {
		...Object.fromEntries(files),
		same,
		'same-place': Buffer.concat([same, Buffer.from(`version ${seq}`)]),
		run: seq % 2 === 0 ? x('#!/bin/sh\n') : '#!/bin/sh\n',
		...(seq % 2 === 0 ? { kind: l('same') } : { 'kind/inside': `version ${seq}` }),
		...(seq % 3 === 0 ? { 'void/void': d } : {}),
	};
}

async function startRig(t: TortureContext): Promise<Rig> {
	const { url } = await spawnBroker(t);
	const source = join(t.folder, 'source');
	const same = randomBytes(2_000_000);
	const env = (name: string): NodeJS.ProcessEnv => ({
		...CACHELESS,
		XDG_STATE_HOME: join(t.folder, `state-${name}`),
		SHOAL_BROKER: url,
	});
	let seq = 0;
	let publisher: Shoal | undefined;
	let link = '';
	const publish: Rig['publish'] = async () => {
		seq += 1;
		await rm(source, { recursive: true, force: true });
		await plant(source, treeOf(seq, same));
		const before = publisher;
		publisher = new Shoal(t, ['publish', source, '--channel', 'lab'], env('publisher'));
		link = String((await publisher.event('published')).link);
		await before?.end();
		return { seq, lines: await linesIn(source) };
	};
	await publish();
	const first = await firstDocument(url, link);
	return {
		...{ url, link, publish },
		follow: (dir, ...args) =>
			new Shoal(t, ['follow', link, join(t.folder, dir), ...args], env('follower')),
		replay: async () => {
			const client = await Link.open({ url, id: 'replayer-of-old-documents' });
			await client.retain(topics.channel(first.channel, client.id), first.text).catch(() => {});
			await client.close();
		},
	};
}

async function firstDocument(
	url: string,
	link: string,
): Promise<{ readonly channel: string; readonly text: Uint8Array }> {
	const channel = new URL(link).searchParams.get('id') ?? '';
	const client = await Link.open({ url, id: 'reader-of-documents' });
	let text = new Uint8Array();
	client.on('message', ({ payload }) => {
		text = payload.slice();
	});
	await client.subscribe(`${topics.root}/channel/${channel}/+`);
	await until('the document', () => text.length > 0);
	await client.close();
	return { channel, text };
}

async function killInPlace(t: TortureContext, rig: Rig): Promise<void> {
	const dir = join(t.folder, 'place');
	const problems: string[] = [];
	/** The texts that people have written. */
	const written: string[] = [];
	let [killed, refused] = [0, 0];
	for (let kill = 0; kill < KILLS; kill += 1) {
		const { seq, lines } = await rig.publish();
		await changeFiles(t, dir, written, kill);
		const follower = rig.follow('place');
		await sleep(t.random() * KILLED_WITHIN);
		follower.signal('SIGKILL');
		killed += (await follower.exit()) === 'SIGKILL' ? 1 : 0;
		await rig.replay();
		const again = rig.follow('place', '--once');
		const code = await again.exit();
		refused += again.all('refused').length;
		const found = new Set(existsSync(dir) ? await linesIn(dir) : []);
		const missing = lines.filter((line) => !found.has(line));
		if (code !== 0 || missing.length > 0) {
			const last = JSON.stringify(again.events.at(-1));
			problems.push(`kill ${kill}, version ${seq}: ${code}, ${missing.length} missing: ${last}`);
		}
	}
	const there = await textsIn(dir);
	const lost = written.filter((text) => !there.includes(text));
	t.note('killed in time', `${killed} of ${KILLS}`);
	t.note('replays that were refused', `${refused}`);
	for (const problem of problems) {
		t.say(problem);
	}
	t.check('the folder is the newest version after each start', problems.length === 0);
	t.check('no change of people is lost', lost.length === 0, `${lost.length} of ${written.length}`);
}

/** Appends to a file, adds one, or replaces one, as people do. */
async function changeFiles(
	t: TortureContext,
	dir: string,
	written: string[],
	kill: number,
): Promise<void> {
	if (!existsSync(dir) || t.random() < 0.4) {
		return;
	}
	const text = `written by somebody before kill ${kill}`;
	const path = join(dir, ['same-place', 'run', `added-${kill}`][kill % 3] as string);
	await (t.random() < 0.5 ? writeFile(path, text) : appendFile(path, text)).catch(() => {
		// The version has a folder there.
	});
	if (existsSync(path) && (await readFile(path, 'latin1')).includes(text)) {
		written.push(text);
	}
}

/** All files below a folder, except those of shoal, as one text. */
async function textsIn(dir: string): Promise<string> {
	const paths = (await linesIn(dir)).flatMap((line) => /^[fx] \S+ (.*)$/.exec(line)?.[1] ?? []);
	const own = paths.filter((path) => !path.startsWith('.shoal/'));
	const texts = await Promise.all(own.map((path) => readFile(join(dir, path), 'latin1')));
	return texts.join('\n');
}

async function killWithReleases(t: TortureContext, rig: Rig): Promise<void> {
	const dir = join(t.folder, 'releases');
	const current = join(dir, 'current');
	const versions = new Set<string>();
	const problems: string[] = [];
	let [looks, isOver] = [0, false];
	const look = async (): Promise<void> => {
		if (!existsSync(current)) {
			return;
		}
		const target = join(dir, readlinkSync(current));
		const lines = (await linesIn(target).catch(() => [])).join('\n');
		// A release that was replaced meanwhile may be removed while it is read.
		if (join(dir, readlinkSync(current)) === target) {
			looks += 1;
			if (!versions.has(lines)) {
				problems.push(`current led to ${target}, which was no whole version`);
			}
		}
	};
	const looking = (async () => {
		while (!isOver && !t.signal.aborted) {
			await look();
			await sleep(5);
		}
	})();
	for (let kill = 0; kill < RELEASE_KILLS; kill += 1) {
		const { lines } = await rig.publish();
		versions.add(lines.join('\n'));
		const follower = rig.follow('releases', '--releases', '2');
		await sleep(t.random() * KILLED_WITHIN);
		follower.signal('SIGKILL');
		await follower.exit();
		const again = rig.follow('releases', '--releases', '2', '--once');
		const code = await again.exit();
		const found = existsSync(current)
			? (await linesIn(join(dir, readlinkSync(current)))).join('\n')
			: undefined;
		if (code !== 0 || found !== lines.join('\n')) {
			problems.push(`kill ${kill}: ${code}, ${JSON.stringify(again.events.at(-1))}`);
		}
	}
	isOver = true;
	await looking;
	for (const problem of problems) {
		t.say(problem);
	}
	t.note('looks at the link current', `${looks}`);
	t.check('with --releases, current is a whole version at any moment', problems.length === 0);
}
