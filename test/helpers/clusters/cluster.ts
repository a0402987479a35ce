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

/** The effect of the access rules of docs/brokers.md on a kind of broker. */
export interface Rules {
	/** Whether a node can publish and read only with its own id. */
	readonly checksIds: boolean;
	/** Whether a watcher can publish nothing. */
	readonly limitsWatchers: boolean;
}

/** Three servers of one broker. */
export interface Cluster {
	readonly rules: Rules;
	/** ms for which the servers may accept no client after one has died: they hold an election. */
	readonly election: number;
	/** ms for which the servers may serve nobody after the network between them was cut. */
	readonly split: number;
	/** The URLs of the servers, with the credentials of a node. */
	readonly urls: readonly string[];
	/** The URLs of the servers, with the credentials of a role. */
	urlsOf(role: Role): readonly string[];
	/** Resident bytes of all servers. */
	residentBytes(): number;
	/** Ends a server with SIGKILL; resolves when its process is gone. */
	kill(index: number): Promise<void>;
	/** Starts a server again; resolves when it listens, and before it has joined the others. */
	start(index: number): Promise<void>;
	/** Ends all servers with SIGKILL, and removes their files; idempotent. */
	stop(): Promise<void>;
}

/** The number of servers of a cluster. */
export const SERVERS = 3;

/** Milliseconds within which a server has to answer. */
const ANSWER_WITHIN = 3_000;

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
 * Waits until every server delivers the messages of the one after it. A server of a cluster may accept
 * connections some seconds before that, and may even be alone.
 */
export async function untilWhole(urls: readonly string[], deadline = 90_000): Promise<void> {
	for (const [index, url] of urls.entries()) {
		const other = urls[(index + 1) % urls.length] as string;
		const what = `server ${index + 1} delivers the messages of another server`;
		await until(what, () => delivers(other, url), deadline);
	}
}

/** Returns whether a confirmed message that is published on `from` is delivered on `to`. */
export async function delivers(from: string, to: string): Promise<boolean> {
	const topics = new Topics();
	const ids = [makeNodeId(), makeNodeId()] as const;
	const links: Link[] = [];
	const open = async (url: string, id: string): Promise<Link> => {
		const link = await Link.open({ url, id, timeout: ANSWER_WITHIN });
		links.push(link);
		return link;
	};
	try {
		const receiver = await open(to, ids[0]);
		let isThere = false;
		receiver.on('message', () => {
			isThere = true;
		});
		await receiver.subscribe(topics.inboxFilter(ids[0]));
		const sender = await open(from, ids[1]);
		await sender.publish(topics.request(ids[0], ids[1]), Buffer.from('x'));
		await until('the message', () => isThere, ANSWER_WITHIN);
		return true;
	} catch {
		return false;
	} finally {
		await Promise.all(links.map((link) => link.close()));
	}
}
