import { networkInterfaces } from 'node:os';
import { checkTicket, type KeyPair, Listener } from '../../broker/index.ts';
import {
	hostAndPort,
	hostOf,
	type Incoming,
	isLoopback,
	type Limits,
	ShoalError,
	type Topics,
} from '../../protocol/index.ts';

/** Where a node listens for direct connections. */
export interface ListenAt {
	/** An address of this machine. @default all addresses, or loopback if the broker is on loopback */
	readonly host?: string | undefined;
	/** TCP port. @default any free port */
	readonly port?: number | undefined;
}

/** The tracker, as far as its tickets are checked by it. */
export interface TicketIssuer {
	/** The key of the tracker that issues them; undefined while there is none. */
	readonly state: { readonly key?: string | undefined } | undefined;
	/** ms since 1970 by the clock of the tracker. */
	readonly time: number;
}

/** What {@link listen} needs. */
export interface ListenOptions extends ListenAt {
	readonly id: string;
	/** URL of the broker. */
	readonly broker: string;
	readonly topics: Topics;
	readonly limits: Limits;
	readonly tracker: TicketIssuer;
	/** What it shows to those who come, where the broker speaks TLS. */
	readonly tls?: KeyPair | undefined;
	readonly onMessage: (message: Incoming) => void;
}

/** Addresses in a node's state. */
const MOST_ADDRESSES = 8;

/**
 * Listens for nodes that connect directly to this one, with a ticket of the tracker.
 *
 * @throws ShoalError ERR_PORT
 */
export async function listen(options: ListenOptions): Promise<Listener> {
	const { id, topics, limits, tracker, tls, onMessage, port = 0 } = options;
	const admit = (from: string, ticket: string): void => {
		const key = tracker.state?.key;
		if (key === undefined) {
			throw new ShoalError('ERR_REFUSED', 'there is no tracker that gives tickets');
		}
		checkTicket(ticket, { from, to: id }, key, tracker.time);
	};
	const common = { id, port, topics, limits, tls, admit, onMessage };
	const host = options.host ?? besides(hostOf(options.broker));
	try {
		return await Listener.start({ ...common, host });
	} catch (error) {
		if (host !== '::' || options.host !== undefined) {
			throw error;
		}
		// A system without IPv6.
		return await Listener.start({ ...common, host: '0.0.0.0' });
	}
}

/** Where a node listens whose broker is at `host`: of loopback where the broker sees it. */
function besides(host: string): string {
	if (!isLoopback(host)) {
		return '::';
	}
	return host === '::1' ? '::1' : '127.0.0.1';
}

/** Where a listener can be reached, as broker URLs: of all addresses those that others can use. */
export function addressesOf(
	{ address: { address, family, port } }: Listener,
	isSecure: boolean,
): string[] {
	const isAny = address === '::' || address === '0.0.0.0';
	const hosts = isAny ? usableHosts(family === 'IPv6') : [address];
	return hosts.slice(0, MOST_ADDRESSES).map((host) => {
		return `${isSecure ? 'mqtts' : 'mqtt'}://${hostAndPort(host, port)}`;
	});
}

function usableHosts(withIpv6: boolean): string[] {
	const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
	const usable = all.filter(({ internal, address }) => !internal && !/^fe80:/i.test(address));
	const ofFamily = (family: string): string[] =>
		usable.filter((each) => each.family === family).map(({ address }) => address);
	return [...ofFamily('IPv4'), ...(withIpv6 ? ofFamily('IPv6') : [])];
}
