import type { Scope } from '../harness/suite.ts';
import { type Cluster, type Place, type Role, type Rules, urlFor } from './cluster.ts';
import type { ServerProcess } from './server-process.ts';

/** The servers of a cluster. */
export interface Servers {
	/** Where each server runs. */
	readonly places: readonly Place[];
	/** The MQTT port of each server. */
	readonly ports: readonly number[];
	readonly servers: readonly ServerProcess[];
	readonly rules: Rules;
	/** See {@link Cluster.election}. @default 0 */
	readonly election?: number;
	/** See {@link Cluster.split}. @default 0 */
	readonly split?: number;
	/**
	 * Whether the other servers start only when the first one is up. @default they start together
	 */
	readonly isFirstAlone?: boolean;
}

/** Starts all servers; they are stopped when the scope ends. */
export async function makeCluster(
	t: Scope,
	{ places, ports, servers, rules, election = 0, split = 0, isFirstAlone = false }: Servers,
): Promise<Cluster> {
	const urlsOf = (role: Role): string[] =>
		places.map(({ address }, index) => urlFor(role, address, ports[index] as number));
	const server = (index: number): ServerProcess => servers[index] as ServerProcess;
	const cluster: Cluster = {
		rules,
		election,
		split,
		urls: urlsOf('node'),
		urlsOf,
		residentBytes: () => servers.reduce((sum, each) => sum + each.residentBytes, 0),
		kill: (index) => server(index).kill(),
		start: (index) => server(index).start(),
		stop: async () => {
			await Promise.all(servers.map((each) => each.kill()));
		},
	};
	t.defer(() => cluster.stop());
	if (isFirstAlone) {
		await cluster.start(0);
	}
	await Promise.all(servers.slice(isFirstAlone ? 1 : 0).map((each) => each.start()));
	return cluster;
}
