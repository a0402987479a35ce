import { Connection } from '../../protocol/link/connection.ts';
import { Link } from '../../protocol/link/link.ts';
import { acceptOnly, startFakeBroker } from '../helpers/adversaries/fake-broker.ts';
import { seedId } from '../helpers/fixtures/registry.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { Member } from '../helpers/harness/member.ts';
import { startPlainBroker } from '../helpers/harness/plain-broker.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import type { Scope } from '../helpers/harness/suite.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';
import { until } from '../helpers/harness/until.ts';

const test = await timingSuite('connections');
const NEVER = 1e9;

/** A connection to a broker that answers only CONNECT. */
async function connect(t: Scope, keepalive = 15) {
	const broker = await startFakeBroker(t, acceptOnly);
	const connection = await Connection.open({
		url: broker.url,
		clientId: 'node-one',
		keepalive,
		timeout: NEVER,
		onMessage: () => {},
	});
	t.defer(() => connection.destroy());
	return { broker, connection };
}

/** The time in ms that `work` takes. */
async function time(work: () => Promise<unknown>): Promise<number> {
	const begun = performance.now();
	await work();
	return performance.now() - begun;
}

test('a connection to a silent server fails soon after its timeout', async (t) => {
	const { url } = await startFakeBroker(t, () => {});
	await judge('giving up after 150 ms', { unit: 'ms', most: 1_000 }, () =>
		time(() =>
			rejects(
				Connection.open({
					...{ url, clientId: 'node-one', keepalive: 15 },
					...{ timeout: 150, onMessage: () => {} },
				}),
			),
		),
	);
});

test('close takes at most 1.5 s if the broker acknowledges nothing, or reads nothing', async (t) => {
	const most = { unit: 'ms', most: 1_500 };
	await judge('close, nothing is acknowledged', most, async () => {
		const { connection } = await connect(t);
		void rejects(connection.publish('a', new Uint8Array(1), false));
		return await time(() => connection.close());
	});
	await judge('close, nothing is read', most, async () => {
		const { broker, connection } = await connect(t);
		const [socket] = broker.sockets;
		socket?.pause();
		for (let sent = 0; sent < 64; sent += 1) {
			connection.send('a', new Uint8Array(1_000_000));
		}
		return await time(() => connection.close());
	});
});

test('F9: the connection to a broker that answers no ping ends after 1.4 to 2.5 times the keepalive', async (t) => {
	const bound = { unit: 'ms', least: 1_400, most: 2_500 };
	await judge('giving up, keepalive of 1 s', bound, async () => {
		const { connection } = await connect(t, 1);
		return await time(() => connection.ended);
	});
});

test('F1: a link is up again within 2.5 s after its broker is back', async (t) => {
	await judge('a link comes back', { unit: 'ms', most: 2_500 }, async () => {
		const broker = await startPlainBroker(t);
		const link = await Link.open({ url: broker.url, id: 'node-one-1' });
		t.defer(() => link.close());
		await broker.stop();
		await until('it is down', () => !link.isUp);
		await startPlainBroker(t, broker.port);
		return await time(() => until('it is up again', () => link.isUp));
	});
});

test('F1: the list of a restarted broker is complete again within 5 s', async (t) => {
	await judge('the list is complete', { unit: 'ms', most: 5_000 }, async () => {
		const first = await startBroker(t);
		for (let number = 0; number < 20; number += 1) {
			const member = await Member.join(t, first.url);
			await member.share(seedId(number));
		}
		await first.close();
		return await time(async () => {
			const second = await startBroker(t, { port: first.port });
			await until('all are listed', () => second.tracker?.stats().announces === 20);
		});
	});
});

test.run();
