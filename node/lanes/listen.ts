import {
	checkTicket,
	type KeyPair,
	Listener,
	type Peer,
	usableHosts,
} from '../../broker/for-nodes.ts';
import {
	hostAndPort,
	hostOf,
	type Incoming,
	isLoopback,
	type Limits,
	parseHostAddress,
	ShoalError,
	type Topics,
} from '../../protocol/index.ts';

/** Where a node listens for direct connections. */
export interface ListenAt {
	/** An address of this machine. @default all addresses, or loopback if all brokers are on loopback */
	readonly host?: string | undefined;
	/** TCP port. @default any free port */
	readonly port?: number | undefined;
	/**
	 * The addresses at which other nodes reach this one, as HOST or HOST:PORT, if they differ from
	 * the addresses of this machine: behind a NAT, or in a container.
	 * @default the addresses of this machine
	 */
	readonly advertise?: readonly string[] | undefined;
}

/** The parts of a tracker client that are needed to check the tickets of the tracker. */
export interface TicketIssuer {
	/**
	 * The state of the tracker, with the key for checking its tickets; undefined if there is no
	 * tracker.
	 */
	readonly state: { readonly key?: string | undefined } | undefined;
	/** ms since 1970 by the clock of the tracker. */
	readonly time: number;
}

/** Options of {@link listen}. */
export interface ListenOptions extends ListenAt {
	readonly id: string;
	/** URLs of all brokers. */
	readonly brokers: readonly string[];
	readonly topics: Topics;
	readonly limits: Limits;
	readonly tracker: TicketIssuer;
	/** Certificate and key of the listener, if the broker speaks TLS. */
	readonly tls?: KeyPair | undefined;
	/** As in the options of {@link Listener}. */
	readonly onMessage: (message: Incoming, peer: Peer | undefined) => void;
}

/** Most addresses in the state of a node. */
const MOST_ADDRESSES = 8;

/**
 * Listens for nodes that connect directly to this one, with a ticket of the tracker.
 *
 * @throws ShoalError ERR_PORT, ERR_USAGE
 */
export async function listen(options: ListenOptions): Promise<Listener> {
	const { id, topics, limits, tracker, tls, onMessage, port = 0 } = options;
	for (const text of options.advertise ?? []) {
		parseHostAddress(text, 'advertise');
	}
	const admit = (from: string, ticket: string): void => {
		const key = tracker.state?.key;
		if (key === undefined) {
			throw new ShoalError('ERR_REFUSED', 'there is no tracker that gives tickets');
		}
		checkTicket(ticket, { from, to: id }, key, tracker.time);
	};
	const host = options.host ?? besides(options.brokers.map(hostOf));
	return await Listener.start({ id, host, port, topics, limits, tls, admit, onMessage });
}

/**
 * The address to listen on if the brokers are at `hosts`: loopback if all of them are. Undefined: all
 * addresses. Node.js has to parse `::`, and the regular expression for that takes 4 ms to compile.
 */
function besides(hosts: readonly string[]): string | undefined {
	if (!hosts.every(isLoopback)) {
		return undefined;
	}
	return hosts.every((host) => host === '::1') ? '::1' : '127.0.0.1';
}

/**
 * The addresses at which other nodes can reach a listener, as mqtt: or mqtts: URLs: those in
 * `advertise`, or else the usable addresses of this machine.
 *
 * @param advertise see {@link ListenAt.advertise}
 * @throws ShoalError ERR_USAGE
 */
export function addressesOf(
	{ address: { address, family, port } }: Listener,
	isSecure: boolean,
	advertise: readonly string[] = [],
): string[] {
	const isAny = address === '::' || address === '0.0.0.0';
	const hosts = isAny ? usableHosts({ withIpv6: family === 'IPv6' }) : [address];
	const all =
		advertise.length > 0
			? advertise.map((text) => parseHostAddress(text, 'advertise'))
			: hosts.map((host) => ({ host, port }));
	return all.slice(0, MOST_ADDRESSES).map((each) => {
		return `${isSecure ? 'mqtts' : 'mqtt'}://${hostAndPort(each.host, each.port ?? port)}`;
	});
}
