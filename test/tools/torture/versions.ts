import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../../node/cli/terminal/units.ts';
import { startPlainBroker } from '../../helpers/harness/plain-broker.ts';
import { CACHELESS, randomFile } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import {
	type Build,
	type Builds,
	bothBuilds,
	bothWays,
	get,
	run,
	share,
	stop,
	whyNoBuild,
} from './builds.ts';
import { MIB, sourceOf } from './rig.ts';
import type { Scenario } from './scenario.ts';
import { upgrades } from './upgrades.ts';
import { folders } from './version-folders.ts';
import { lists } from './version-lists.ts';

const LENGTH = 64 * MIB;
const MINUTE = 60_000;
const COPIES = 4;
/**
 * The most bytes that may be fetched again after a kill: chunks that were not recorded yet, and
 * open requests.
 */
const MOST_AGAIN = 24 * MIB;

/** F27: nodes of two versions. */
export const versions: Scenario = {
	name: 'versions',
	about:
		'brokers, trackers, seeders and downloaders of this build and of another, in every mixture',
	needs: (_, otherBuild) => ({
		disk: (COPIES + 2) * LENGTH,
		minutes: 3,
		other: 'another build: --other FOLDER',
		missing: whyNoBuild(otherBuild),
	}),
	async run(t) {
		const digest = await randomFile(sourceOf(t), LENGTH);
		const setting: Builds = { t, builds: bothBuilds(t.otherBuild as string), digest };
		for (const build of setting.builds) {
			const broker = run(t, build, ['broker', '--port', '0', '--http', '0', '--no-mdns']);
			const { url, http } = await broker.event('listening');
			const at = `broker of ${build.name}`;
			await transfers(setting, String(url), at);
			await fansOut(setting, String(url), at);
			await folders(setting, String(url), at);
			await lists(setting, { url: String(url), http: String(http), at, length: LENGTH });
			const { code, stderr } = await stop(broker);
			t.check(`F27: ${at} ends with 0, without a warning`, code === 0 && stderr === '', stderr);
		}
		await carriesOver(setting);
		await trackers(setting);
		await upgrades(setting);
	},
};

async function transfers(setting: Builds, url: string, at: string): Promise<void> {
	const flags = ['--broker', url];
	for (const seeder of setting.builds) {
		const { process, id } = await share(setting, seeder, flags);
		for (const downloader of setting.builds) {
			for (const lane of ['direct', 'broker'] as const) {
				const fact = `${at}, seeder of ${seeder.name}, downloader of ${downloader.name}, lane ${lane}`;
				await get(setting, downloader, id, { fact, flags, lane });
			}
		}
		await stop(process);
	}
}

/**
 * Seeders and downloaders of both builds at the same time: a chunk that all request at the same
 * time is sent about once.
 */
async function fansOut(setting: Builds, url: string, at: string): Promise<void> {
	const { t, builds } = setting;
	const flags = ['--broker', url];
	const limited = [...flags, '--max-up', '10MB', '--lane', 'broker'];
	const shares = await Promise.all(builds.map((build) => share(setting, build, limited)));
	const [{ id } = { id: '' }, other] = shares;
	t.check(`F27: ${at}: both builds make the same seed of a file`, id === other?.id);
	const fact = `${at}, one of ${COPIES} downloaders, seeders of both builds`;
	const downloaders = Array.from({ length: COPIES }, (_, index) => {
		const output = `copy-${index}`;
		return get(setting, builds[index % 2 === 0 ? 0 : 1], id, {
			fact,
			output,
			flags,
			lane: 'broker',
		});
	});
	await Promise.all(downloaders);
	const ended = await Promise.all(shares.map(({ process }) => stop(process)));
	const sent = ended.map((process) => Number(process.all('stopped')[0]?.sent));
	const text = sent.map((bytes) => formatBytes(bytes)).join(' and ');
	t.check(`F27: ${at}: each seeder sends a tenth or more`, Math.min(...sent) > LENGTH / 10, text);
	const all = sent.reduce((sum, bytes) => sum + bytes, 0);
	t.check(`F27: ${at}: for ${COPIES} copies the seeders send less than 2`, all < 2 * LENGTH, text);
}

/** Each build uses the files that the other has left. */
async function carriesOver(setting: Builds): Promise<void> {
	const { t, builds } = setting;
	const broker = run(t, builds[0], ['broker', '--port', '0', '--no-mdns']);
	const url = String((await broker.event('listening')).url);
	for (const [before, after] of bothWays(builds)) {
		await seedFile(setting, before, after, url);
		await remembered(setting, before, after, url);
		await resumes(setting, before, after, url);
	}
	await stop(broker);
}

/** Checks a seed file. */
async function seedFile(setting: Builds, before: Build, after: Build, url: string): Promise<void> {
	const { t } = setting;
	const { process } = await share(setting, before, ['--broker', url]);
	const file = join(t.folder, 'source.seed');
	const made = run(t, before, ['seed', sourceOf(t), '-o', file]);
	t.check(`F27: ${before.name} writes a seed file`, (await made.exit()) === 0, made.stderr);
	const checked = run(t, after, ['verify', file, sourceOf(t)]);
	t.check(`F27: ${after.name} verifies with it`, (await checked.exit()) === 0, checked.stderr);
	const fact = `${after.name} downloads with the seed file of ${before.name}`;
	await get(setting, after, file, { fact, flags: ['--broker', url] });
	await rm(file);
	await stop(process);
}

/** Checks the seed cache, and an id that is used by one build after the other. */
async function remembered(
	setting: Builds,
	before: Build,
	after: Build,
	url: string,
): Promise<void> {
	const { t } = setting;
	const folder = join(t.folder, 'home');
	await mkdir(folder);
	const env = { ...CACHELESS, XDG_CACHE_HOME: folder, XDG_CONFIG_HOME: folder };
	const flags = ['--broker', url, '--id', 'node-of-mine'];
	const first = await share(setting, before, flags, env);
	first.process.signal('SIGKILL');
	await first.process.exit();
	const second = await share(setting, after, flags, env);
	t.check(`F27: ${after.name} can use the id that ${before.name} had`, true);
	const [sharing] = second.process.all('sharing');
	const isKnown = sharing?.remembered === true && second.id === first.id;
	t.check(`F27: ${after.name} does not hash what ${before.name} has hashed`, isKnown);
	await stop(second.process);
	await rm(folder, { recursive: true });
}

/** Checks a part file and its journal. */
async function resumes(setting: Builds, before: Build, after: Build, url: string): Promise<void> {
	const { t } = setting;
	const flags = ['--broker', url];
	const { process, id } = await share(setting, before, [...flags, '--max-up', '20MB']);
	const folder = join(t.folder, 'resumed');
	await mkdir(folder);
	const args = ['get', id, '-o', join(folder, 'copy'), '--no-linger', ...flags];
	const first = run(t, before, args);
	const have = (): number => Number(first.all('progress').at(-1)?.have ?? 0);
	await until(
		'half of it is there',
		() => have() >= LENGTH / 2 || first.code !== undefined,
		MINUTE,
	);
	await first.end();
	const kept = have();
	const fact = `${after.name} resumes the download of ${before.name}`;
	const fetched = await get(setting, after, id, { fact, output: 'resumed/copy', flags });
	const again = fetched - (LENGTH - kept);
	t.check(
		`F27: ${after.name} fetches at most ${formatBytes(MOST_AGAIN)} of the file again`,
		kept >= LENGTH / 2 && fetched > 0 && again <= MOST_AGAIN,
		`${formatBytes(kept)} were there, ${formatBytes(fetched)} fetched`,
	);
	await rm(folder, { recursive: true });
	await stop(process);
}

/**
 * Checks a tracker of one build with nodes of the other on a plain MQTT broker, and a second
 * tracker that takes over.
 */
async function trackers(setting: Builds): Promise<void> {
	const { t, builds } = setting;
	for (const [before, after] of bothWays(builds)) {
		const plain = await startPlainBroker(t);
		const flags = ['--broker', plain.url];
		const first = run(t, before, ['tracker', ...flags]);
		await first.event('ready');
		const second = run(t, after, ['tracker', ...flags]);
		await second.event('standby');
		const shares = await Promise.all(builds.map((build) => share(setting, build, flags)));
		const id = String(shares[0]?.id);
		for (const build of builds) {
			const fact = `tracker of ${before.name}, downloader of ${build.name}, a plain MQTT broker`;
			await get(setting, build, id, { fact, flags });
		}
		await stop(first);
		await second.event('ready');
		for (const build of builds) {
			const ls = run(t, build, ['ls', ...flags]);
			await ls.exit();
			const seeders = ls.all('seed').find((seed) => seed.id === id)?.seeders;
			const fact = `F27: the tracker of ${after.name} takes over from ${before.name}, by ls of ${build.name}`;
			t.check(fact, seeders === 2, `${seeders} seeders`);
		}
		await Promise.all([...shares.map(({ process }) => stop(process)), stop(second)]);
		await plain.stop();
	}
}
