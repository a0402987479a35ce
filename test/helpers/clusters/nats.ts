import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../fixtures/folder.ts';
import { freePorts, isListening } from '../harness/ports.ts';
import type { Scope } from '../harness/suite.ts';
import { until } from '../harness/until.ts';
import { type Cluster, HERE, type Place, passwordOf, ROLES, SERVERS } from './cluster.ts';
import { makeCluster } from './make-cluster.ts';
import { recipe } from './recipe.ts';
import { isInstalled, ServerProcess } from './server-process.ts';

/** ms that the servers need at most to elect a leader of a stream: a CONNECT and a message with QoS 1 wait. */
const ELECTION = 10_000;

/** Returns what to install for {@link startNats}; undefined if it is installed. */
export function whatNatsNeeds(): string | undefined {
	return isInstalled('nats-server', '--version')
		? undefined
		: 'nats-server is not installed; on Debian: apt-get install nats-server';
}

/**
 * Starts three NATS servers with JetStream and an MQTT listener each, and with the accounts of
 * docs/brokers.md. They are stopped when the scope ends.
 */
export async function startNats(t: Scope, places: readonly Place[] = HERE): Promise<Cluster> {
	const folder = await makeFolder(t);
	const ports = await freePorts(3 * SERVERS);
	const clients = ports.splice(0, SERVERS);
	const routes = ports.splice(0, SERVERS);
	const mqtt = ports;
	writeFileSync(join(folder, 'accounts.conf'), await recipe('accounts.conf'));
	const example = await recipe('nats-1.conf');
	const peers = places.map(({ address }, index) => `nats-route://${address}:${routes[index]}`);
	const servers = places.map(({ address, within }, index) => {
		const config = join(folder, `nats-${index + 1}.conf`);
		const store = join(folder, `store-${index + 1}`);
		const text = example
			.replace('nats-1', `"nats-${index + 1}"`)
			.replace('0.0.0.0:4222', `${address}:${clients[index]}`)
			.replace('0.0.0.0:6222', `${address}:${routes[index]}`)
			.replace('0.0.0.0:1883', `${address}:${mqtt[index]}`)
			.replace('/var/lib/nats', store)
			.replace(/routes: .*/, `routes: ${JSON.stringify(peers)}`);
		writeFileSync(config, text);
		return new ServerProcess({
			command: [...within, 'nats-server', '-c', config],
			env: Object.fromEntries(
				ROLES.map((role) => [`${role.toUpperCase()}_PASSWORD`, passwordOf(role)]),
			),
			log: join(folder, `nats-${index + 1}.log`),
			isUp: () => isListening(mqtt[index] as number, address),
		});
	});
	// All nodes share a user, whose permissions cannot name an id.
	const rules = { checksIds: false, limitsWatchers: true };
	const cluster = await makeCluster(t, {
		places,
		ports: mqtt,
		servers,
		rules,
		election: ELECTION,
		split: ELECTION,
	});
	// A CONNECT that comes before the servers have a leader fails only after four seconds.
	const logs = places.map((_, index) => join(folder, `nats-${index + 1}.log`));
	const knowsLeader = (log: string): boolean => /metadata leader/.test(readFileSync(log, 'utf8'));
	await until('the servers have a leader', () => logs.every(knowsLeader));
	return cluster;
}
