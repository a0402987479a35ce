import { isIP, isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { printable } from '../../../protocol/index.ts';

/** A broker that has announced itself on the LAN. What it says of itself is not to be trusted. */
export interface FoundBroker {
	/** URL. */
	readonly broker: string;
	/** What it calls itself. */
	readonly name: string;
	/** Whether it lets in only who has its token. */
	readonly needsToken: boolean;
}

/** The type that MQTT brokers are announced as, without its underscore. */
const TYPE = 'mqtt';
const VERSION = '1';
/** Brokers that are listened to; more than any LAN needs. */
const MOST = 32;

/** Tells the LAN by mDNS of the broker at `url`, until it is closed. What fails is told, as the broker runs on. */
export async function announceBroker(
	url: string,
	needsToken: boolean,
	onError: (error: unknown) => void,
): Promise<{ close(): Promise<void> }> {
	const { default: Bonjour } = await import('bonjour-service');
	const bonjour = new Bonjour({}, onError);
	const { protocol, port } = new URL(url);
	const tls = protocol === 'mqtts:' ? '1' : '0';
	const txt = { shoal: VERSION, tls, token: needsToken ? '1' : '0' };
	const name = `shoal on ${hostname()} (${port})`;
	// With `probe` it would print on standard output when somebody else has the name.
	const options = { name, type: TYPE, port: Number(port), txt, probe: false };
	const service = bonjour.publish(options);
	service.on('error', onError);
	return {
		close: () =>
			new Promise((resolve) => {
				const over = setTimeout(resolve, 500);
				bonjour.unpublishAll(() => {
					bonjour.destroy();
					clearTimeout(over);
					resolve();
				});
			}),
	};
}

/** The brokers that answer within `ms`. Without multicast there are none. */
export async function findBrokers(ms: number): Promise<FoundBroker[]> {
	const { default: Bonjour } = await import('bonjour-service');
	const found = new Map<string, FoundBroker>();
	const bonjour = new Bonjour({}, () => {});
	const browser = bonjour.find({ type: TYPE }, (service) => {
		const broker = readService(service);
		if (broker !== undefined && found.size < MOST) {
			found.set(broker.broker, broker);
		}
	});
	await new Promise((resolve) => setTimeout(resolve, ms));
	browser.stop();
	bonjour.destroy();
	return [...found.values()];
}

/** What an announcement says, if it is one of shoal's that can be used. */
export function readService(service: {
	readonly name?: unknown;
	readonly port?: unknown;
	readonly txt?: unknown;
	readonly addresses?: unknown;
}): FoundBroker | undefined {
	const { name, port, txt, addresses } = service;
	const { shoal, tls, token } = (txt ?? {}) as Record<string, unknown>;
	const usable = (Array.isArray(addresses) ? addresses : []).filter(
		(each): each is string => typeof each === 'string' && isIP(each) !== 0 && !/^fe80:/i.test(each),
	);
	const host = usable.find((each) => !isIPv6(each)) ?? usable[0];
	const isPort = Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536;
	if (shoal !== VERSION || host === undefined || !isPort) {
		return undefined;
	}
	const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
	return {
		broker: `${tls === '1' ? 'mqtts' : 'mqtt'}://${address}`,
		name: printable(String(name)).slice(0, 64),
		needsToken: token !== '0',
	};
}
