import { ShoalError } from '../errors.ts';
import { hostOf } from '../host-port.ts';
import { isLoopback } from '../loopback.ts';
import { printableUrl } from '../printable-url.ts';
import { isSecureUrl } from '../secure-url.ts';
import { distinctBrokers, MOST_BROKERS, parseBrokerUrl } from '../seed/broker-urls.ts';
import type { LinkBroker, LinkOptions } from './base-link.ts';
import type { OpenStream } from './connection-options.ts';

/** A broker of a list, with what it needs beside its URL. */
export interface BrokerAddress {
	/** URL of the broker: mqtt, mqtts, ws or wss. */
	readonly url: string;
	/** Its access token, which is sent to this broker only. @default the token for all brokers of the list */
	readonly token?: string | undefined;
	/**
	 * SHA-256 fingerprint of its certificate: 64 hex digits, colons allowed; for an mqtts: URL only.
	 *
	 * @default the fingerprint for all brokers of the list
	 */
	readonly cert?: string | undefined;
}

/**
 * The brokers of one cluster, in the order in which they are tried: at most 16, as URLs or with
 * credentials; or the URL of one broker.
 */
export type BrokerList = string | readonly (string | BrokerAddress)[];

/** Credentials that the brokers of a list have in common, and how they are connected to. */
export interface SharedByBrokers {
	/** Token for the brokers without a token of their own. @default none */
	readonly token?: string | undefined;
	/** Fingerprint for the mqtts: brokers without a fingerprint of their own. @default none */
	readonly cert?: string | undefined;
	/** The secret of the MQTT client id; empty: none. */
	readonly secret: string;
	/**
	 * Returns a function that opens the byte stream to the broker at `url`; undefined: the link opens
	 * it. @throws ShoalError ERR_USAGE for a `cert` that cannot be checked
	 */
	readonly streamTo: (url: string, cert: string | undefined) => OpenStream | undefined;
}

/** The part of {@link LinkOptions} that names the brokers. */
export type LinkBrokers = Pick<LinkOptions, 'url' | 'password' | 'openStream' | 'others'>;

/**
 * The brokers of a list, for {@link Link.open}: those that lead to the same server only once.
 *
 * @throws ShoalError ERR_USAGE for an empty list, one that is too long, one that mixes TLS and plain
 *   URLs, and as `streamTo`; ERR_LINK for a malformed URL in a list
 */
export function linkBrokers(list: BrokerList, shared: SharedByBrokers): LinkBrokers {
	const { token, cert, secret, streamTo } = shared;
	const entries = (typeof list === 'string' ? [list] : list).map(asAddress);
	const distinct = checkedBrokers(entries);
	// With one URL without TLS, `streamTo` has to refuse the fingerprint.
	const hasTls = distinct.some(({ url }) => takesCert(url));
	return asLinkBrokers(
		distinct.map((each) => ({
			url: each.url,
			password: `${each.token ?? token ?? ''}:${secret}`,
			openStream: streamTo(
				each.url,
				each.cert ?? (takesCert(each.url) || !hasTls ? cert : undefined),
			),
		})),
	);
}

/**
 * The first broker of a list, and the others, for {@link Link.open}: those that lead to the same
 * server only once.
 *
 * @throws ShoalError ERR_USAGE, ERR_LINK as {@link linkBrokers}
 */
export function asLinkBrokers(brokers: readonly LinkBroker[]): LinkBrokers {
	const [first, ...others] = checkedBrokers(brokers) as [LinkBroker, ...LinkBroker[]];
	return others.length === 0 ? first : { ...first, others };
}

/** The same brokers, in the same cyclic order, beginning with the one at `url`, if it is among them. */
export function startingAt(brokers: LinkBrokers, url: string): LinkBrokers {
	const { others = [], ...first } = brokers;
	const all = [first, ...others];
	const index = all.findIndex((each) => printableUrl(each.url) === printableUrl(url));
	return index < 1 ? brokers : asLinkBrokers([...all.slice(index), ...all.slice(0, index)]);
}

/**
 * The brokers of a list, those that lead to the same server only once.
 *
 * @throws ShoalError ERR_USAGE for an empty list, one that is too long, or one that mixes TLS and
 *   plain URLs; ERR_LINK for a malformed URL in a list of several
 */
function checkedBrokers<T extends { readonly url: string }>(entries: readonly T[]): T[] {
	if (entries.length === 0) {
		throw new ShoalError('ERR_USAGE', 'the list of brokers is empty; name at least one');
	}
	const distinct = distinctBrokers(entries, ({ url }) => url);
	if (distinct.length > 1) {
		checkSeveral(distinct.map(({ url }) => parseBrokerUrl(url)));
	}
	return distinct;
}

/** @throws ShoalError ERR_USAGE */
function checkSeveral(urls: readonly string[]): void {
	if (urls.length > MOST_BROKERS) {
		throw new ShoalError(
			'ERR_USAGE',
			`there are ${urls.length} brokers in the list; a list has at most ${MOST_BROKERS}`,
		);
	}
	const secure = urls.find(isSecureUrl);
	const plain = urls.find((url) => !isSecureUrl(url) && !isLoopback(hostOf(url)));
	if (secure !== undefined && plain !== undefined) {
		throw new ShoalError(
			'ERR_USAGE',
			`${printableUrl(secure)} is encrypted and ${printableUrl(plain)} is not: somebody who blocks the first could read everything at the second; name all brokers of the list with mqtts: or wss: (or none)`,
		);
	}
}

/**
 * The brokers at `urls`, each with `token` and with its fingerprint. A single fingerprint in
 * `certs` is for all mqtts: URLs; of several, each is for one mqtts: URL, in their order.
 *
 * @throws ShoalError ERR_USAGE if there are several fingerprints, but not one for each mqtts: URL
 */
export function withCredentials(
	urls: readonly string[],
	certs: readonly string[],
	token?: string,
): BrokerAddress[] {
	const needing = urls.filter(takesCert);
	if (certs.length > 1 && certs.length !== needing.length) {
		throw new ShoalError(
			'ERR_USAGE',
			`there are ${certs.length} fingerprints and ${needing.length} brokers with mqtts: URLs; one fingerprint is for all of them, several are for one each, in the order of the brokers`,
		);
	}
	const [common] = certs.length === 1 ? certs : [];
	const own = certs.length === 1 ? [] : [...certs];
	return urls.map((url) => {
		// A fingerprint for URLs without TLS is passed on, and refused later.
		const cert = takesCert(url) || needing.length === 0 ? (own.shift() ?? common) : undefined;
		return { url, token, cert };
	});
}

function asAddress(entry: string | BrokerAddress): BrokerAddress {
	return typeof entry === 'string' ? { url: entry } : entry;
}

/** Whether the fingerprint of a certificate can be checked at `url`. */
function takesCert(url: string): boolean {
	return /^mqtts:/i.test(url);
}
