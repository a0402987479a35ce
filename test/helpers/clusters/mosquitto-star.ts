import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mosquittoAcl } from '../../../broker/index.ts';
import { Topics } from '../../../protocol/index.ts';
import { makeFolder } from '../fixtures/folder.ts';
import { guard } from '../harness/mosquitto-access.ts';
import { freePorts, isListening } from '../harness/ports.ts';
import type { Scope } from '../harness/suite.ts';
import { type Cluster, HERE, type Place, passwordOf, ROLES, SERVERS } from './cluster.ts';
import { makeCluster } from './make-cluster.ts';
import { recipe } from './recipe.ts';
import { isInstalled, ServerProcess } from './server-process.ts';

const BRIDGE_PASSWORD = 'bridge-secret';

/** Returns what to install for {@link startStar}; undefined if it is installed. */
export function whatStarNeeds(): string | undefined {
	return isInstalled('mosquitto', '-h')
		? undefined
		: 'mosquitto is not installed; on Debian: apt-get install mosquitto';
}

/**
 * Starts three Mosquitto servers, with the access rules of `shoal acl mosquitto`. The first is the
 * hub. The other two are leaves, and have a bridge to the hub as in docs/brokers.md. They are stopped when the
 * scope ends.
 */
export async function startStar(t: Scope, places: readonly Place[] = HERE): Promise<Cluster> {
	const folder = await makeFolder(t);
	const ports = await freePorts(SERVERS);
	const forClients = mosquittoAcl({ topics: new Topics(), by: 'client', tracker: 'tracker' });
	const acl = `${await recipe('bridge.acl')}\n${forClients}`;
	const users = Object.fromEntries(ROLES.map((role) => [role, passwordOf(role)]));
	const access = guard(folder, { acl, users: { ...users, bridge: BRIDGE_PASSWORD } });
	const hub = `${places[0]?.address}:${ports[0]}`;
	const bridge = await recipe('bridge.conf');
	const servers = places.map(({ address, within }, index) => {
		const own = join(folder, `mosquitto-${index + 1}`);
		mkdirSync(own);
		const lines = [
			`listener ${ports[index]} ${address}`,
			...access,
			'max_packet_size 270000',
			'max_queued_bytes 8388608',
			'max_queued_messages 0',
			'persistence true',
			`persistence_location ${own}/`,
			...(process.getuid?.() === 0 ? ['user root'] : []),
			index === 0 ? '' : bridgeTo(hub, bridge, index),
		];
		writeFileSync(`${own}.conf`, `${lines.join('\n')}\n`);
		return new ServerProcess({
			command: [...within, 'mosquitto', '-c', `${own}.conf`],
			log: `${own}.log`,
			isUp: () => isListening(ports[index] as number, address),
		});
	});
	// The patterns for nodes apply to every user.
	const rules = { checksIds: true, limitsWatchers: false };
	return await makeCluster(t, { places, ports, servers, rules });
}

/** Returns the bridge of docs/brokers.md for another host, password and leaf. */
function bridgeTo(hub: string, bridge: string, leaf: number): string {
	return bridge
		.replace('hub.example:1883', hub)
		.replace('BRIDGE-PASSWORD', BRIDGE_PASSWORD)
		.replaceAll('leaf-1', `leaf-${leaf}`);
}
