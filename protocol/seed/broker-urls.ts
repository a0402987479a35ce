import { ShoalError } from '../errors.ts';
import { brokerAddress, hostAndPort } from '../host-port.ts';
import { printable, quoted } from '../printable.ts';
import { printableUrl } from '../printable-url.ts';

/** Most brokers in a list and in a link. */
export const MOST_BROKERS = 16;

/** URL of a broker, or the URLs of the brokers of one cluster, in the order in which they are tried. */
export type BrokerUrls = string | readonly string[];

const SCHEMES: ReadonlySet<string> = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:']);

/**
 * Returns `text` if it is the URL of a broker: mqtt, mqtts, ws or wss, with a host. Characters that a URL parser would
 * skip or escape, such as spaces and control characters, are refused, so that the URL can be shown as it is.
 *
 * @throws ShoalError ERR_LINK
 */
export function parseBrokerUrl(text: string): string {
	const isPlain = !/\s/.test(text) && printable(text) === text;
	if (/^mqtts?:\/\/[^/?#]*[/?#].*@/i.test(text)) {
		throw new ShoalError(
			'ERR_LINK',
			`in the URL of the broker at ${quoted(printableUrl(text))}, the characters / ? # of a password have to be written as %2F %3F %23`,
		);
	}
	const url = isPlain && URL.canParse(text) ? new URL(text) : undefined;
	if (url === undefined || !SCHEMES.has(url.protocol) || url.hostname === '') {
		throw new ShoalError(
			'ERR_LINK',
			`${quoted(printableUrl(text))} is no URL of a broker: mqtt://HOST:PORT expected (or mqtts, ws, wss)`,
		);
	}
	return text;
}

/**
 * `entries` without those that lead to the same server as an earlier one: scheme, host, port and
 * path are the same.
 *
 * @param urlOf the URL of an entry
 */
export function distinctBrokers<T>(entries: readonly T[], urlOf: (entry: T) => string): T[] {
	const first = new Map<string, T>();
	for (const entry of entries) {
		const key = serverOf(urlOf(entry));
		if (!first.has(key)) {
			first.set(key, entry);
		}
	}
	return [...first.values()];
}

/** `urls` as a list: of one, if it is a single URL; empty, if it is undefined. */
export function listOf(urls: BrokerUrls | undefined): readonly string[] {
	return typeof urls === 'string' ? [urls] : (urls ?? []);
}

/** A single URL as a text, several as a list; undefined if there is none. */
export function oneOrList(urls: readonly string[]): BrokerUrls | undefined {
	return urls.length > 1 ? urls : urls[0];
}

/**
 * Writes the brokers of a link, as repeated parameters `broker`: earlier versions read the first.
 * User name, password and query of a URL are left out, as a link is for others.
 *
 * @throws ShoalError ERR_LINK for more than 16
 */
export function writeBrokers(query: URLSearchParams, broker: BrokerUrls | undefined): void {
	for (const url of distinctUrls(listOf(broker).map(printableUrl))) {
		query.append('broker', url);
	}
}

/** Reads the brokers of a link. @throws ShoalError ERR_LINK for a malformed URL, or more than 16 */
export function readBrokers(query: URLSearchParams): { broker?: BrokerUrls } {
	const broker = oneOrList(distinctUrls(query.getAll('broker').map(parseBrokerUrl)));
	return broker === undefined ? {} : { broker };
}

/** @throws ShoalError ERR_LINK for more than 16 */
function distinctUrls(urls: readonly string[]): readonly string[] {
	const distinct = distinctBrokers(urls, (url) => url);
	checkCount(distinct.length);
	return distinct;
}

/** @throws ShoalError ERR_LINK for more than 16 brokers in a link */
export function checkCount(count: number): void {
	if (count > MOST_BROKERS) {
		throw new ShoalError(
			'ERR_LINK',
			`the link names ${count} brokers; a link has at most ${MOST_BROKERS}`,
		);
	}
}

/** The parts of a URL that say where a broker is; a URL that is malformed is returned as it is. */
function serverOf(url: string): string {
	if (!URL.canParse(url)) {
		return url;
	}
	const { protocol, pathname } = new URL(url);
	const { host, port } = brokerAddress(url);
	return `${protocol}//${hostAndPort(host, port)}${pathname === '' ? '/' : pathname}`;
}
