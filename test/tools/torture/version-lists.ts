import { type Builds, run, share, stop } from './builds.ts';

/** A broker, and its name in checks. */
export interface ListedBroker {
	readonly url: string;
	/** The URL of its HTTP server. */
	readonly http: string;
	readonly at: string;
	/** Bytes of the file. */
	readonly length: number;
}

const RANGE = { from: 1_000, to: 1_000_999 };

/**
 * Checks `ls`, `who`, `watch`, `gateway` and the HTTP server of the broker with seeders of both
 * builds.
 */
export async function lists(setting: Builds, broker: ListedBroker): Promise<void> {
	const { t, builds } = setting;
	const { url, http, at, length } = broker;
	const flags = ['--broker', url];
	const watches = builds.map((build) => run(t, build, ['watch', ...flags]));
	await Promise.all(watches.map((watch) => watch.event('tracker')));
	const shares = await Promise.all(builds.map((build) => share(setting, build, flags)));
	const id = String(shares[0]?.id);
	for (const build of builds) {
		const ls = run(t, build, ['ls', ...flags]);
		await ls.exit();
		const seed = ls.all('seed').find((each) => each.id === id);
		t.check(
			`F27: ${at}: ls of ${build.name} lists the seed with two seeders`,
			seed?.name === 'source.bin' && seed.length === length && seed.seeders === 2,
			JSON.stringify(seed),
		);
		const who = run(t, build, ['who', id, ...flags]);
		await who.exit();
		const reached = who.all('node').map(({ have, chunks, reach }) => `${have}/${chunks} ${reach}`);
		t.check(
			`F27: ${at}: who of ${build.name} lists both seeders, complete and with a direct lane`,
			reached.length === 2 && reached.every((each) => /^(\d+)\/\1 direct$/.test(each)),
			reached.join(', '),
		);
		const gateway = run(t, build, ['gateway', '--port', '0', ...flags]);
		const address = String((await gateway.event('listening')).url);
		await fetches(setting, `${address}/files/${id}`, `${at}: the gateway of ${build.name}`);
		await stop(gateway);
	}
	await fetches(setting, `${http}/files/${id}`, `${at}, by HTTP,`);
	await Promise.all(shares.map(({ process }) => stop(process)));
	for (const [index, watch] of watches.entries()) {
		await watch.event('node-left');
		const announced = watch.all('announce').filter(({ seed }) => seed === id);
		const nodes = new Set(announced.map(({ node }) => node));
		t.check(
			`F27: ${at}: watch of ${builds[index]?.name} reports both seeders, without a warning`,
			nodes.size >= 2 && watch.stderr === '',
			`${nodes.size} nodes ${watch.stderr}`,
		);
		await stop(watch);
	}
}

async function fetches({ t }: Builds, url: string, who: string): Promise<void> {
	const { from, to } = RANGE;
	const response = await fetch(url, { headers: { range: `bytes=${from}-${to}` } });
	const { byteLength } = await response.arrayBuffer();
	const isRight = response.status === 206 && byteLength === to - from + 1;
	t.check(`F27: ${who} serves a range of the file`, isRight, `${response.status}`);
}
