import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatJoinLink, type JoinLink, parseJoinLink } from '../../../protocol/index.ts';
import { CACHELESS, type Shoal } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import { type Build, type Builds, bothWays, get, run, share, stop } from './builds.ts';

/** A broker with a token and TLS, and its join links with the loopback address. */
interface Closed {
	readonly broker: Shoal;
	readonly node: JoinLink;
	readonly watch: JoinLink;
}

/**
 * F27: the broker of one build is replaced by a broker of the other build, and the join links of
 * the first stay valid.
 */
export async function upgrades(setting: Builds): Promise<void> {
	const { t, builds } = setting;
	for (const [round, [before, after]] of bothWays(builds).entries()) {
		const folder = join(t.folder, `upgrade-${round}`);
		await mkdir(folder);
		const at = `closed broker of ${before.name}`;
		const { broker, node, watch } = await startClosed(setting, before, join(folder, 'data'));
		const environments = await Promise.all(
			builds.map((build, index) => joined(setting, build, node, join(folder, `joined-${index}`))),
		);
		await letsIn(setting, at, environments);
		await refuses(setting, at, node, watch);
		await goesOn(setting, {
			broker,
			before,
			after,
			node,
			data: join(folder, 'data'),
			environments,
		});
	}
}

async function startClosed({ t }: Builds, build: Build, data: string, port = '0'): Promise<Closed> {
	const args = [
		'--host',
		'0.0.0.0',
		'--port',
		port,
		'--data',
		data,
		'--tls',
		'--no-http',
		'--no-mdns',
	];
	const broker = run(t, build, ['broker', ...args]);
	const { url } = await broker.event('listening');
	const links = run(t, build, ['token', '--data', data]);
	const { link, watch } = await links.event('join');
	const read = (text: unknown): JoinLink => ({
		...parseJoinLink(String(text)),
		broker: String(url).replace('0.0.0.0', '127.0.0.1'),
	});
	return { broker, node: read(link), watch: read(watch) };
}

/**
 * Joins with the link.
 *
 * @returns an environment in which commands need neither the broker nor a token
 */
async function joined(
	{ t }: Builds,
	build: Build,
	link: JoinLink,
	folder: string,
): Promise<NodeJS.ProcessEnv> {
	await mkdir(folder);
	const env = { ...CACHELESS, XDG_CONFIG_HOME: folder, SHOAL_BROKER: undefined };
	const join = run(t, build, ['join', formatJoinLink(link)], env);
	const isIn = (await join.exit()) === 0;
	t.check(`F27: ${build.name} joins with the link`, isIn, isIn ? undefined : join.stderr);
	return env;
}

/** Seeders and downloaders of both builds use a broker that each has joined. */
async function letsIn(
	setting: Builds,
	at: string,
	environments: readonly NodeJS.ProcessEnv[],
): Promise<void> {
	const [one, other] = setting.builds;
	for (const [index, env] of environments.entries()) {
		const [seeder, downloader] = index === 0 ? [one, other] : [other, one];
		const { process, id } = await share(setting, seeder, [], env);
		for (const lane of ['direct', 'broker'] as const) {
			const fact = `${at}, seeder of ${seeder.name}, downloader of ${downloader.name}, TLS, lane ${lane}`;
			await get(setting, downloader, id, { fact, env, lane });
		}
		await stop(process);
	}
}

/** Checks a wrong token, a wrong certificate, and a token that is valid only for watching. */
async function refuses(
	{ t, builds }: Builds,
	at: string,
	node: JoinLink,
	watch: JoinLink,
): Promise<void> {
	for (const build of builds) {
		const by = (link: JoinLink): NodeJS.ProcessEnv => ({
			...CACHELESS,
			SHOAL_BROKER: undefined,
			SHOAL_JOIN: formatJoinLink(link),
		});
		const stranger = run(t, build, ['ls'], by({ ...node, token: 'w'.repeat(22) }));
		await stranger.exit();
		const code = stranger.all('error').at(-1)?.code;
		t.check(
			`F27: ${at} refuses ${build.name} with a wrong token`,
			code === 'ERR_REFUSED',
			String(code),
		);
		const forged = run(t, build, ['ls'], by({ ...node, cert: '0'.repeat(64) }));
		const isFooled = (await forged.exit()) === 0;
		t.check(`F27: ${build.name} refuses another certificate of ${at}`, !isFooled);
		const watcher = run(t, build, ['watch'], by(watch));
		const { state } = await watcher.event('tracker');
		t.check(`F27: ${at} lets ${build.name} watch`, state === 'ready', String(state));
		await stop(watcher);
	}
}

interface Handover {
	readonly broker: Shoal;
	readonly before: Build;
	readonly after: Build;
	readonly node: JoinLink;
	/** The folder in which the brokers store tokens and keys. */
	readonly data: string;
	readonly environments: readonly NodeJS.ProcessEnv[];
}

/**
 * During a download, the other broker replaces the first one, with the same port and the same
 * folder.
 */
async function goesOn(setting: Builds, handover: Handover): Promise<void> {
	const { t, builds } = setting;
	const { broker, before, after, node, data, environments } = handover;
	const limited = ['--max-up', '8MB', '--lane', 'broker'];
	const shares = await Promise.all(
		builds.map((build, index) => share(setting, build, limited, environments[index])),
	);
	let completed = 0;
	const gets = builds.map(async (build, index) => {
		const fact = `${build.name} completes although ${after.name} replaces ${before.name}`;
		const env = environments[index] as NodeJS.ProcessEnv;
		const options = {
			fact,
			output: `upgraded-${index}`,
			env,
			mayWarn: true,
			lane: 'broker',
		} as const;
		await get(setting, build, String(shares[0]?.id), options);
		completed += 1;
	});
	const isServing = (): boolean => shares.some(({ process }) => process.all('serving').length > 0);
	await until('something is fetched', isServing);
	await stop(broker);
	t.check('F27: the broker stops during the downloads', completed === 0);
	const again = await startClosed(setting, after, data, new URL(node.broker).port);
	t.check(
		`F27: ${after.name} keeps the join links of ${before.name}`,
		formatJoinLink(again.node) === formatJoinLink(node),
	);
	await Promise.all(gets);
	for (const [index, build] of builds.entries()) {
		const ls = run(t, build, ['ls'], environments[1 - index]);
		await ls.exit();
		const seeders = ls.all('seed')[0]?.seeders;
		t.check(`F27: ls of ${build.name} then lists both seeders`, seeders === 2, `${seeders}`);
	}
	await Promise.all([...shares.map(({ process }) => stop(process)), stop(again.broker)]);
}
