/** The host of `url`, an IPv6 address without brackets. @internal */
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

/** `host` as it stands in a URL, an IPv6 address without its brackets. @internal */
export function withoutBrackets(host: string): string {
	return host.replace(/^\[|\]$/g, '');
}

/** `HOST:PORT` as it stands in a URL: an IPv6 address gets brackets. @internal */
export function hostAndPort(host: string, port: number | string): string {
	return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** An IPv4 address that came in on an IPv6 socket, as it is written elsewhere; another as it is. @internal */
export function plainAddress(address: string): string {
	return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
