import { isIP, isIPv6 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Bonjour } from 'bonjour-service';
import { usableHosts } from '../../../broker/for-nodes.ts';
import { hostAndPort, hostOf, parseBrokerUrl, printable } from '../../../protocol/index.ts';

/** A broker that announces itself on the LAN. No field of its announcement can be trusted. */
export interface FoundBroker {
	/** URL. */
	readonly broker: string;
	/** The name that it announces. */
	readonly name: string;
	/** Whether it requires a token. */
	readonly needsToken: boolean;
}

/** The service type of MQTT brokers, without its underscore. */
const TYPE = 'mqtt';
const VERSION = '1';
/** The most brokers that a search returns; more than any LAN needs. */
const MOST = 32;
/** The most interfaces with IPv6 on which multicast is used; more than a machine needs. */
const MOST_INTERFACES = 8;

/** A broker that is announced. */
export interface AnnouncedBroker {
	/** Where it listens. */
	readonly url: string;
	/** URL by which others reach it; undefined if they use the addresses of this machine. */
	readonly address?: string | undefined;
	readonly needsToken: boolean;
}

/**
 * Announces a broker on the LAN by mDNS, until it is closed.
 *
 * @param onError called with each failure; the broker runs on
 */
export async function announceBroker(
	{ url, address, needsToken }: AnnouncedBroker,
	onError: (error: unknown) => void,
): Promise<{ close(): Promise<void> }> {
	const { protocol, port } = new URL(address ?? url);
	const tls = protocol === 'mqtts:' ? '1' : '0';
	const host = address === undefined ? {} : { host: hostOf(address) };
	const txt = { shoal: VERSION, tls, token: needsToken ? '1' : '0', ...host };
	const name = `shoal on ${hostname()} (${port})`;
	// With `probe`, the library would print on standard output if the name is in use.
	const options = { name, type: TYPE, port: Number(port), txt, probe: false };
	const all = await openBonjours(onError);
	for (const bonjour of all) {
		bonjour.publish(options).on('error', onError);
	}
	return {
		close: async () => {
			await Promise.all(all.map(unpublish));
		},
	};
}

async function unpublish(bonjour: Bonjour): Promise<void> {
	await new Promise<void>((resolve) => {
		const over = setTimeout(resolve, 500);
		bonjour.unpublishAll(() => {
			bonjour.destroy();
			clearTimeout(over);
			resolve();
		});
	});
}

/**
 * Opens a responder for each socket of {@link socketsFor}: over IPv4 and over IPv6, because a
 * machine that has no IPv4 receives nothing that is sent over IPv4.
 */
async function openBonjours(onError: (error: unknown) => void): Promise<Bonjour[]> {
	const { default: Bonjour } = await import('bonjour-service');
	return socketsFor(networkInterfaces()).map((options) => new Bonjour(options, onError));
}

/** Socket options of bonjour-service, for multicast DNS over one address family (RFC 6762, 3). */
export interface MulticastSocket {
	readonly type?: 'udp6';
	readonly ip?: string;
	readonly interface?: string;
	readonly bind?: string;
}

/**
 * The sockets for multicast DNS on a machine with these interfaces: one for IPv4 on all interfaces,
 * and one for IPv6 on each interface. Without any usable address, the IPv4 socket alone: its
 * failure is reported.
 */
export function socketsFor(interfaces: ReturnType<typeof networkInterfaces>): MulticastSocket[] {
	const hasIpv4 = usableHosts({ withIpv6: false, interfaces }).length > 0;
	const withIpv6 = Object.entries(interfaces).filter(([, addresses = []]) =>
		addresses.some(({ family, internal }) => family === 'IPv6' && !internal),
	);
	const ofIpv6 = withIpv6.slice(0, MOST_INTERFACES).map(([name]) => ({
		...{ type: 'udp6' as const, ip: `ff02::fb%${name}`, interface: `::%${name}`, bind: '::' },
	}));
	return hasIpv4 || ofIpv6.length === 0 ? [{}, ...ofIpv6] : ofIpv6;
}

/** The brokers on the LAN that answer within `ms`; none if multicast does not work. */
export async function findBrokers(ms: number): Promise<FoundBroker[]> {
	const all = await openBonjours(() => {});
	const found = new Map<string, FoundBroker>();
	for (const bonjour of all) {
		bonjour.find({ type: TYPE }, (service) => {
			const broker = readService(service);
			if (broker !== undefined && found.size < MOST) {
				found.set(broker.broker, broker);
			}
		});
	}
	await new Promise((resolve) => setTimeout(resolve, ms));
	for (const bonjour of all) {
		bonjour.destroy();
	}
	return [...found.values()];
}

/** The broker in an announcement; undefined if it is no usable broker of shoal. */
export function readService(service: {
	readonly name?: unknown;
	readonly port?: unknown;
	readonly txt?: unknown;
	readonly addresses?: unknown;
}): FoundBroker | undefined {
	const { name, port, txt, addresses } = service;
	const { shoal, tls, token, host: named } = (txt ?? {}) as Record<string, unknown>;
	const usable = (Array.isArray(addresses) ? addresses : []).filter(
		(each): each is string => typeof each === 'string' && isIP(each) !== 0 && !/^fe80:/i.test(each),
	);
	const host =
		typeof named === 'string' ? named : (usable.find((each) => !isIPv6(each)) ?? usable[0]);
	const isPort = Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536;
	if (shoal !== VERSION || host === undefined || !isPort) {
		return undefined;
	}
	const broker = urlOf(`${tls === '1' ? 'mqtts' : 'mqtt'}://${hostAndPort(host, port as number)}`);
	if (broker === undefined) {
		return undefined;
	}
	return {
		broker,
		name: printable(String(name)).slice(0, 64),
		needsToken: token !== '0',
	};
}

/** `text`, if it is the URL of a broker with a host and a port only; else undefined. */
function urlOf(text: string): string | undefined {
	try {
		const { host, protocol } = new URL(parseBrokerUrl(text));
		return text === `${protocol}//${host}` ? text : undefined;
	} catch {
		return undefined;
	}
}
