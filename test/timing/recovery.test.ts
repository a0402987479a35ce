import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Broker } from '../../broker/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { onSockets } from '../helpers/harness/client-sockets.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { Shoal, source, spawnBroker } from '../helpers/harness/shoal.ts';
import type { Scope } from '../helpers/harness/suite.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';
import { until } from '../helpers/harness/until.ts';

const test = await timingSuite('the time until a swarm goes on');
const MIB = 1024 * 1024;

/** Measures the longest time in ms in which a count does not grow, from first to last value. */
function watchPauses(): { add: (count: number, at?: number) => void; longest: () => number } {
	let [last, since, longest] = [0, 0, 0];
	return {
		add: (count, at = performance.now()) => {
			if (count > last) {
				longest = last === 0 ? 0 : Math.max(longest, at - since);
				[last, since] = [count, at];
			}
		},
		longest: () => longest,
	};
}

test('a download pauses for at most 3 s when its direct lane falls silent', async (t) => {
	await judge('longest pause', { unit: 'ms', most: 3_000 }, async () => {
		const { url } = await startBroker(t);
		const seeder = await startNode(t, url, { maxUp: 4_000_000 });
		const { seed } = await seeder.share(await makeFile(t, randomBytes(12 * MIB)));
		const node = await startNode(t, url);
		const [listing] = (await node.who(seed.id)).nodes;
		const port = Number(new URL(listing?.addresses[0] as string).port);
		const silence = onSockets(t, port, (socket) => socket.pause());
		const pauses = watchPauses();
		let isSilent = false;
		await node.get(seed.id, {
			output: join(await makeFolder(t), 'copy'),
			onProgress: ({ have }) => {
				isSilent ||= have > 4 * MIB && silence() > 0;
				pauses.add(have);
			},
		});
		return isSilent ? pauses.longest() : Number.NaN;
	});
});

test('F1: bytes flow again within 3 s after the broker is back, and at most 4 MiB arrive twice', async (t) => {
	let twice = Number.NaN;
	await judge('until bytes flow', { unit: 'ms', most: 3_000 }, async () => {
		const first = await Broker.start({ port: 0 });
		t.defer(() => first.close());
		const { folder, path } = await source(t, 24 * MIB);
		const seeder = await startNode(t, first.url, { maxUp: 16_000_000 });
		const { seed } = await seeder.share(path);
		const node = await startNode(t, first.url, { lane: 'broker' });
		const getting = node.get(seed.id, { output: join(folder, 'copy') });
		getting.catch(() => {});
		await until('a third is there', () => node.received.total > 8 * MIB);
		await first.close();
		await until('both have noticed', () => node.received.rate === 0);
		const before = node.received.total;
		const second = await Broker.start({ port: first.port });
		t.defer(() => second.close());
		const back = performance.now();
		await until('bytes flow again', () => node.received.total > before);
		const ms = performance.now() - back;
		await getting;
		twice = node.received.total - seed.length;
		return ms;
	});
	await judge('bytes received twice', { unit: 'MiB', most: 4 }, async () => twice / MIB);
});

test('T12 F8: no downloader pauses for 1 s beside a frozen downloader and a frozen watcher', async (t) => {
	await judge('longest pause', { unit: 'ms', most: 1_000 }, async () => {
		const { folder, path } = await source(t, 48 * MIB);
		const { url } = await spawnBroker(t);
		const share = new Shoal(t, ['share', path, '--broker', url, '--max-up', '24MB']);
		const { id } = await share.event('sharing');
		const watcher = new Shoal(t, ['watch', '--broker', url]);
		const gets = [0, 1, 2].map((index) => {
			const output = join(folder, `copy-${index}`);
			return new Shoal(t, ['get', id as string, '-o', output, '--broker', url, '--keep']);
		});
		const [frozen, ...others] = gets as [Shoal, ...Shoal[]];
		const hasBegun = (get: Shoal) => get.all('progress').some(({ have }) => Number(have) > MIB);
		await until('all have begun', () => gets.every(hasBegun));
		frozen.signal('SIGSTOP');
		watcher.signal('SIGSTOP');
		await Promise.all(others.map((get) => get.event('complete')));
		const pauses = others.map((get) => {
			const pause = watchPauses();
			for (const { have, at } of get.all('progress')) {
				pause.add(Number(have), at);
			}
			return pause.longest();
		});
		await Promise.all([...gets, watcher, share].map((each) => each.end()));
		return Math.max(...pauses);
	});
});

test('the seeder sends a content about once to several downloaders on the broker lane', async (t) => {
	await judge('copies sent', { unit: 'copies', most: 1.2 }, async () => {
		const { url } = await startBroker(t);
		const { folder, path } = await source(t, 16 * MIB);
		const seeder = await startNode(t, url, { maxUp: 20_000_000, lane: 'broker' });
		const { seed } = await seeder.share(path);
		const names = ['a', 'b', 'c', 'd'];
		const nodes = await Promise.all(names.map(() => startNode(t, url, { lane: 'broker' })));
		await Promise.all(
			nodes.map((node, index) => node.get(seed.id, { output: join(folder, `${index}`) })),
		);
		return seeder.sent.total / seed.length;
	});
});

/** The ms from a signal to the end of a process; NaN if its exit code is not `code`. */
async function endOf(shoal: Shoal, signal: NodeJS.Signals, code: number): Promise<number> {
	const start = performance.now();
	shoal.signal(signal);
	const ended = await shoal.exit();
	return ended === code ? performance.now() - start : Number.NaN;
}

async function startSharing(t: Scope) {
	const { folder, path } = await source(t, 6_000_000);
	const { broker, url } = await spawnBroker(t);
	const share = new Shoal(t, ['share', path, '--broker', url, '--max-up', '1MB']);
	const { id } = await share.event('sharing');
	return { folder, broker, url, share, id: String(id) };
}

test('F26: each command ends within two seconds of a signal, the demo within three', async (t) => {
	await judge('longest end', { unit: 'ms', most: 2_000 }, async () => {
		const { folder, broker, url, share, id } = await startSharing(t);
		const output = join(folder, 'copy');
		const get = new Shoal(t, ['get', id, '-o', output, '--broker', url]);
		const watch = new Shoal(t, ['watch', '--broker', url]);
		await watch.event('tracker');
		const tracker = new Shoal(t, ['tracker', '--broker', url]);
		await tracker.event('standby');
		const hasBegun = () => get.all('progress').some(({ have }) => Number(have) > 0);
		await until('bytes have come', hasBegun);
		return Math.max(
			await endOf(get, 'SIGINT', 130),
			await endOf(watch, 'SIGINT', 0),
			await endOf(tracker, 'SIGTERM', 0),
			await endOf(share, 'SIGTERM', 0),
			await endOf(broker, 'SIGINT', 0),
		);
	});
	await judge('end of the demo', { unit: 'ms', most: 3_000 }, async () => {
		const { path } = await source(t, 16_000_000);
		const demo = new Shoal(t, ['demo', path]);
		await demo.event('progress');
		return await endOf(demo, 'SIGINT', 130);
	});
});

test.run();
