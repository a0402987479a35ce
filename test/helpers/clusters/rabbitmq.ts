import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../fixtures/folder.ts';
import { freePort, freePorts, isListening } from '../harness/ports.ts';
import type { Scope } from '../harness/suite.ts';
import { type Cluster, HERE, type Place, passwordOf, ROLES, SERVERS } from './cluster.ts';
import { makeCluster } from './make-cluster.ts';
import { recipe } from './recipe.ts';
import { isInstalled, ServerProcess } from './server-process.ts';

// The command in the PATH of Debian refuses to run as another user than root and rabbitmq.
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';
/** ms after which a server notices that it does not reach another one: `net_ticktime`, and a quarter more. */
const SPLIT = 75_000;
// Without these, idle schedulers of three servers keep a small machine busy.
const NO_BUSY_WAIT = '+sbwt none +sbwtdcpu none +sbwtdio none';

/** Returns what to install for {@link startRabbitMq}; undefined if it is installed. */
export function whatRabbitMqNeeds(): string | undefined {
	return isInstalled(SERVER) && isInstalled('epmd', '-names')
		? undefined
		: 'rabbitmq-server is not installed; on Debian: apt-get install rabbitmq-server';
}

/**
 * Starts three RabbitMQ servers as one cluster, with the plug-in for MQTT and the users and policies of
 * docs/brokers.md. They are stopped when the scope ends.
 */
export async function startRabbitMq(t: Scope, places: readonly Place[] = HERE): Promise<Cluster> {
	const folder = await makeFolder(t);
	const ports = await freePorts(3 * SERVERS);
	const amqp = ports.splice(0, SERVERS);
	const links = ports.splice(0, SERVERS);
	const mqtt = ports;
	// Servers with the same cookie may join each other.
	writeFileSync(join(folder, '.erlang.cookie'), 'shoal', { mode: 0o400 });
	writeFileSync(join(folder, 'enabled_plugins'), await recipe('enabled_plugins'));
	writeFileSync(join(folder, 'definitions.json'), withPasswords(await recipe('definitions.json')));
	const example = await recipe('rabbitmq.conf');
	const mapper = await startPortMappers(t, folder, places);
	const names = places.map(({ address }, index) =>
		address === '127.0.0.1' ? `rb${index + 1}@localhost` : `rb${index + 1}@${address}`,
	);
	const servers = places.map(({ address, within }, index) => {
		const own = join(folder, `rabbitmq-${index + 1}`);
		mkdirSync(own);
		const config = `${own}.conf`;
		const text = names
			.reduce((all, name, at) => all.replace(`rabbit@rabbit-${at + 1}`, name), example)
			.replace('tcp.default = 1883', `tcp.1 = ${address}:${mqtt[index]}`)
			.replace('/etc/rabbitmq', folder);
		writeFileSync(config, `listeners.tcp.1 = ${address}:${amqp[index]}\n${text}`);
		const isHere = address === '127.0.0.1';
		return new ServerProcess({
			command: [...within, SERVER],
			env: {
				HOME: folder,
				ERL_EPMD_PORT: String(mapper),
				RABBITMQ_NODENAME: names[index],
				RABBITMQ_USE_LONGNAME: String(!isHere),
				RABBITMQ_DIST_PORT: String(links[index]),
				RABBITMQ_MNESIA_BASE: own,
				RABBITMQ_LOG_BASE: own,
				RABBITMQ_CONFIG_FILE: config,
				RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
				RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: NO_BUSY_WAIT,
			},
			log: `${own}.log`,
			isUp: () => isListening(mqtt[index] as number, address),
		});
	});
	const rules = { checksIds: true, limitsWatchers: true };
	// Of three servers that start for the first time together, one may remain alone.
	return await makeCluster(t, {
		places,
		ports: mqtt,
		servers,
		rules,
		split: SPLIT,
		isFirstAlone: true,
	});
}

/** Starts the program with which Erlang finds the ports of servers, once on each host. @returns its port */
async function startPortMappers(
	t: Scope,
	folder: string,
	places: readonly Place[],
): Promise<number> {
	const port = await freePort();
	const hosts = new Map(places.map((place) => [place.address, place]));
	const mappers = [...hosts.values()].map(
		({ address, within }) =>
			new ServerProcess({
				command: [...within, 'epmd', '-port', String(port)],
				log: join(folder, `epmd-${address}.log`),
				isUp: () => isListening(port, address),
			}),
	);
	for (const mapper of mappers) {
		t.defer(() => mapper.kill());
	}
	await Promise.all(mappers.map((mapper) => mapper.start()));
	return port;
}

function withPasswords(definitions: string): string {
	return ROLES.reduce(
		(text, role) => text.replace(`${role.toUpperCase()}-PASSWORD`, passwordOf(role)),
		definitions,
	);
}
