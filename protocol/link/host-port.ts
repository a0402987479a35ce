/** The host of `url`, an IPv6 address without brackets. @internal */
export function hostOf(url: string): string {
	return withoutBrackets(new URL(url).hostname);
}

/** Host and port of the broker at `url`; 8883 is the default port of `mqtts:`, 1883 of all others. @internal */
export function brokerAddress(url: string): { host: string; port: number } {
	const { protocol, port } = new URL(url);
	const usual = protocol === 'mqtts:' ? 8883 : 1883;
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
