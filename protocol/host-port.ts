import { ShoalError } from './errors.ts';
import { quoted } from './printable.ts';

/** The host of `url` in lower case; an IPv6 address without brackets. @internal */
export function hostOf(url: string): string {
	// Only in web URLs is it in lower case already.
	return withoutBrackets(new URL(url).hostname).toLowerCase();
}

/** The default ports of the schemes of broker URLs. */
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

/**
 * `address` without the prefix `::ffff:` that an IPv4 address has on an IPv6 socket; other
 * addresses are unchanged.
 *
 * @internal
 */
export function plainAddress(address: string): string {
	return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** A host, and a port if one was given. */
export interface HostAddress {
	/** A host name, or an IP address without brackets. */
	readonly host: string;
	/** A TCP port; undefined: the port that the service listens on. */
	readonly port?: number | undefined;
}

/**
 * Reads an address for use by other machines: a host name, an IPv4 or an IPv6 address, with or
 * without a port: `lab.example`, `10.0.0.5:1884`, `fd00::2`, `[fd00::2]:1884`.
 *
 * @param flag the command line flag that it was typed for, for error messages
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
			`${flag} must be HOST or HOST:PORT, a name or an address at which other machines reach this one, not ${quoted(text)}`,
		);
	}
	if (host === '0.0.0.0' || host === '::' || /^fe[89ab][0-9a-f]:/.test(host)) {
		throw new ShoalError(
			'ERR_USAGE',
			`${flag} names ${host}, which other machines cannot reach; name an address that they can reach`,
		);
	}
	return { host, port };
}
