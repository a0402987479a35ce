import { ShoalError } from '../errors.ts';
import { quoted } from '../printable.ts';

/** The host of `url`; an IPv6 address without brackets. @internal */
export function hostOf(url: string): string {
	return withoutBrackets(new URL(url).hostname);
}

/** The ports that a URL of a broker stands for where it names none. */
const USUAL_PORTS: Readonly<Record<string, number>> = { 'mqtts:': 8_883, 'ws:': 80, 'wss:': 443 };
const MQTT_PORT = 1_883;

/** Host and port of the broker at `url`. @internal */
export function brokerAddress(url: string): { host: string; port: number } {
	const { protocol, port } = new URL(url);
	const usual = USUAL_PORTS[protocol] ?? MQTT_PORT;
	return { host: hostOf(url), port: port === '' ? usual : Number(port) };
}

/** `host` without the brackets of an IPv6 address. @internal */
export function withoutBrackets(host: string): string {
	return host.replace(/^\[|\]$/g, '');
}

/** `HOST:PORT` as in a URL; an IPv6 address gets brackets. @internal */
export function hostAndPort(host: string, port: number | string): string {
	return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** An IPv4 address that came in on an IPv6 socket, as it is written elsewhere; another as it is. @internal */
export function plainAddress(address: string): string {
	return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** A host, an IPv6 address without brackets, and a port if one was named. */
export interface HostAddress {
	/** A host name, or an IP address without brackets. */
	readonly host: string;
	/** A TCP port; undefined: the one that the service listens on. */
	readonly port?: number | undefined;
}

/**
 * Reads an address that others are told: a host name, an IPv4 or an IPv6 address, with a port or without one:
 * `lab.example`, `10.0.0.5:1884`, `fd00::2`, `[fd00::2]:1884`.
 *
 * @param flag where it was typed, for messages
 * @throws ShoalError ERR_USAGE
 */
export function parseHostAddress(text: string, flag: string): HostAddress {
	const typed = text.trim();
	const isBareIpv6 = typed.split(':').length > 2 && !typed.startsWith('[');
	const url = `http://${isBareIpv6 ? `[${typed}]` : typed}`;
	const [, digits] = isBareIpv6 ? [] : (/:(\d{1,5})$/.exec(typed) ?? []);
	const isPlain = /^[\w.:[\]-]+$/.test(typed) && URL.canParse(url);
	const host = isPlain ? hostOf(url) : '';
	const port = digits === undefined ? undefined : Number(digits);
	if (host === '' || typed.endsWith(':') || port === 0) {
		throw new ShoalError(
			'ERR_USAGE',
			`${flag} must be HOST or HOST:PORT, a name or an address that leads here from elsewhere, not ${quoted(text)}`,
		);
	}
	if (host === '0.0.0.0' || host === '::' || /^fe[89ab][0-9a-f]:/.test(host)) {
		throw new ShoalError(
			'ERR_USAGE',
			`${flag} names ${host}, which leads nowhere from another machine; name an address that does`,
		);
	}
	return { host, port };
}
