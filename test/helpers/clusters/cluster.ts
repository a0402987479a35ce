import { Link, makeNodeId, Topics } from '../../../protocol/index.ts';
import { until } from '../harness/until.ts';

/** The kinds of clients that docs/brokers.md gives different rights. Each has a user of that name. */
export type Role = 'node' | 'watcher' | 'tracker';

export const ROLES: readonly Role[] = ['node', 'watcher', 'tracker'];

/** Where a server of a cluster runs. */
export interface Place {
	/** The IP address on which it listens. */
	readonly address: string;
	/** Words before its command, which run it on that host. */
	readonly within: readonly string[];
}

/** Three servers of one broker. */
export interface Cluster {
	/** The URLs of the servers, with the credentials of a node. */
	readonly urls: readonly string[];
	/** The URLs of the servers, with the credentials of a role. */
	urlsOf(role: Role): readonly string[];
	/** Ends a server with SIGKILL; resolves when its process is gone. */
	kill(index: number): Promise<void>;
	/** Starts a server again; resolves when it listens, and before it has joined the others. */
	start(index: number): Promise<void>;
	/** Ends all servers with SIGKILL, and removes their files; idempotent. */
	stop(): Promise<void>;
}

/** The number of servers of a cluster. */
export const SERVERS = 3;

/** Every server on this machine. */
export const HERE: readonly Place[] = Array.from({ length: SERVERS }, () => ({
	address: '127.0.0.1',
	within: [],
}));

/** Returns the password of a role. */
export function passwordOf(role: Role): string {
	return `${role}-secret`;
}

/** Returns an MQTT URL with the credentials of a role. */
export function urlFor(role: Role, address: string, port: number): string {
	return `mqtt://${role}:${passwordOf(role)}@${address}:${port}`;
}

/**
 * Waits until a server delivers a confirmed message to a new client. A server of a cluster may
 * accept connections some seconds before that.
 */
export async function untilWhole(urls: readonly string[], deadline = 90_000): Promise<void> {
	for (const [index, url] of urls.entries()) {
		await until(`server ${index + 1} delivers messages`, () => delivers(url), deadline);
	}
}

/** Returns whether a new client of a server gets a confirmed message that it sends to itself. */
export async function delivers(url: string): Promise<boolean> {
	const topics = new Topics();
	const id = makeNodeId();
	let link: Link | undefined;
	try {
		link = await Link.open({ url, id, timeout: 3_000 });
		const here = link;
		let isThere = false;
		here.on('message', () => {
			isThere = true;
		});
		await here.subscribe(topics.inboxFilter(id));
		await here.publish(topics.request(id, id), Buffer.from('x'));
		await until('the message', () => isThere, 3_000);
		return true;
	} catch {
		return false;
	} finally {
		await link?.close();
	}
}
