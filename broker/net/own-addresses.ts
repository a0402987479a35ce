import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** Options of {@link usableHosts}. */
export interface UsableHostsOptions {
	/** Whether IPv6 addresses are included. */
	readonly withIpv6: boolean;
	/** Addresses that come before the others. @default none */
	readonly first?: readonly string[] | undefined;
	/** The network interfaces. @default those of this machine */
	readonly interfaces?: Interfaces | undefined;
}

// RFC 4291, 2.5.6: valid on one link only, and only together with the name of an interface.
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/i;
// RFC 3927: the address that a machine assigns to itself if no DHCP server assigns one.
const SELF_GIVEN = /^169\.254\./;
// Documentation addresses (RFC 5737, RFC 3849): the route to them is the default route. Nothing is
// sent to them.
const ANYWHERE = { udp4: '203.0.113.1', udp6: '2001:db8::1' } as const;
const ANY_PORT = 9;

/**
 * The addresses of this machine that other machines may reach: first those in `first`, then the
 * others. In both groups the order is IPv4, IPv6, IPv4 addresses that the machine assigned to
 * itself. Link-local IPv6 addresses are left out.
 */
export function usableHosts({
	withIpv6,
	first = [],
	interfaces = networkInterfaces(),
}: UsableHostsOptions): string[] {
	const hosts = Object.values(interfaces)
		.flatMap((each) => each ?? [])
		.filter(({ internal, address }) => !internal && !LINK_LOCAL.test(address))
		.filter(({ family }) => withIpv6 || family === 'IPv4')
		.toSorted((one, other) => rankOf(one, first) - rankOf(other, first))
		.map(({ address }) => address);
	return [...new Set(hosts)];
}

function rankOf({ family, address }: NetworkInterfaceInfo, first: readonly string[]): number {
	const isLast = SELF_GIVEN.test(address) ? 2 : 0;
	const isLater = first.includes(address) ? 0 : 4;
	return isLater + isLast + (family === 'IPv4' ? 0 : 1);
}

/**
 * The addresses of this machine on the interface of its default route: at most one IPv4 and one
 * IPv6 address. On a machine with bridges and virtual networks, these are the addresses that other
 * machines can reach. Empty if there is no default route.
 */
export async function outboundHosts(): Promise<string[]> {
	const found = await Promise.all([outboundHost('udp4'), outboundHost('udp6')]);
	return found.filter((host) => host !== undefined);
}

async function outboundHost(type: keyof typeof ANYWHERE): Promise<string | undefined> {
	const socket = createSocket(type);
	try {
		// Connecting a UDP socket sends nothing: the system only selects the route.
		socket.connect(ANY_PORT, ANYWHERE[type]);
		await once(socket, 'connect');
		return socket.address().address;
	} catch {
		return undefined;
	} finally {
		socket.close();
	}
}
