import { existsSync } from 'node:fs';
import { outboundHosts, usableHosts } from '../../../broker/index.ts';
import { hostAndPort, parseHostAddress } from '../../../protocol/index.ts';
import type { Output } from '../terminal/output.ts';
import { isUnreachable } from './public-link.ts';

/** Where a broker listens, and where it is reached. */
export interface BrokerAddress {
	/** Where it listens. */
	readonly url: string;
	/**
	 * URLs by which other machines reach it, the best first; none if they cannot, or none is known.
	 */
	readonly addresses: readonly string[];
	/** Whether the addresses come from `--advertise` or SHOAL_ADVERTISE. */
	readonly isAdvertised: boolean;
	/** SHA-256 of its certificate. */
	readonly cert: string | undefined;
	readonly page: { readonly url: string } | undefined;
	readonly needsToken: boolean;
}

/** The advertised addresses: those of `--advertise`, or else of SHOAL_ADVERTISE, separated by commas. */
export function advertisedHosts(typed: readonly string[] | undefined): readonly string[] {
	const { SHOAL_ADVERTISE: named = '' } = process.env;
	return typed ?? named.split(/[\s,]+/).filter((each) => each !== '');
}

/**
 * The URLs by which other machines reach a broker that listens at `url`, the best first.
 *
 * @param advertised the advertised addresses, HOST or HOST:PORT; if empty, addresses of this
 *   machine
 * @throws ShoalError ERR_USAGE
 */
export async function reachableUrls(url: string, advertised: readonly string[]): Promise<string[]> {
	const { protocol, hostname, port } = new URL(url);
	if (advertised.length > 0) {
		return advertised.map((text) => {
			const named = parseHostAddress(text, '--advertise');
			return `${protocol}//${hostAndPort(named.host, named.port ?? port)}`;
		});
	}
	if (!isAny(hostname)) {
		return isUnreachable(hostname) ? [] : [url];
	}
	const first = await outboundHosts();
	return usableHosts({ withIpv6: hostname === '[::]', first }).map(
		(host) => `${protocol}//${hostAndPort(host, port)}`,
	);
}

/** The URL by which this machine reaches its own server that listens at `url`. */
export function nearUrl(url: string): string {
	return url.replace(/\/\/(0\.0\.0\.0|\[::\]):/, '//127.0.0.1:');
}

/**
 * The origin of the page of a broker: with the host of the first address by which others reach the
 * broker; without such an address, with the host by which this machine reaches the page.
 */
export function pageUrl(url: string, [address]: readonly string[]): string {
	const page = new URL(nearUrl(url));
	page.hostname = address === undefined ? page.hostname : new URL(address).hostname;
	return page.origin;
}

/** Prints where a broker listens, and what to do next. */
export function printAddress(output: Output, broker: BrokerAddress): void {
	const { url, addresses, cert, page } = broker;
	const http = page && { http: page.url };
	output.event({ event: 'listening', url, addresses, ...(cert && { cert }), ...http });
	output.line(`the broker listens ${whereItListens(output, url)}`);
	if (page !== undefined) {
		output.line(
			`its page, for browsers: ${output.style('bold', pageUrl(page.url, isOnlyHere(url) ? [] : addresses))}`,
		);
	}
	for (const line of howToReach(broker)) {
		output.line(output.style('dim', line));
	}
}

function whereItListens(output: Output, url: string): string {
	const { hostname, port, protocol } = new URL(url);
	const how = protocol === 'mqtts:' ? ', with TLS' : '';
	return isAny(hostname)
		? `on port ${output.style('bold', port)} of this machine, on all its addresses${how}`
		: `at ${output.style('bold', url)}`;
}

function howToReach({ url, addresses, isAdvertised, cert, needsToken }: BrokerAddress): string[] {
	const [first] = addresses;
	const flag = cert === undefined ? '' : ` --cert ${cert}`;
	const who = `others reach it at ${addresses.join(' or ')}`;
	if (isOnlyHere(url)) {
		const free = needsToken ? '' : ', and need no token';
		return [
			'only this machine can reach it; --lan opens it to those who have the token',
			...(first === undefined ? [] : [`${who} if a proxy or a forwarded port leads here${free}`]),
			`next: shoal share FILE --broker ${url}${flag}`,
		];
	}
	const next = `next: shoal share FILE --broker ${first ?? nearUrl(url)}${flag}`;
	if (first === undefined) {
		return [
			'no address of this machine is known that others can reach: connect the machine to a network and start the broker again, or name one with --advertise HOST',
			next,
		];
	}
	const inside =
		!isAdvertised && isInContainer()
			? [
					'that is an address of this container, which others perhaps cannot reach; name the address of the machine with --advertise HOST or SHOAL_ADVERTISE=HOST',
				]
			: [];
	const open =
		cert === undefined
			? ['nothing is encrypted, so others on the network can read the traffic; --tls encrypts it']
			: [];
	return [
		who,
		...inside,
		...open,
		needsToken ? 'next, on each other machine: shoal join LINK' : next,
	];
}

/** Whether a broker listens at `url` for programs on this machine only. */
export function isOnlyHere(url: string): boolean {
	const { hostname } = new URL(url);
	return !isAny(hostname) && isUnreachable(hostname);
}

/** Whether this process runs in a container: Docker and Podman each create one of these files. */
function isInContainer(): boolean {
	return existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}

/** Whether a server at `hostname`, written as in a URL, listens on all addresses. */
function isAny(hostname: string): boolean {
	return hostname === '0.0.0.0' || hostname === '[::]';
}
