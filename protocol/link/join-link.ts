import { ShoalError } from '../errors.ts';
import {
	type BrokerUrls,
	checkCount,
	distinctBrokers,
	listOf,
	oneOrList,
	parseBrokerUrl,
} from '../seed/broker-urls.ts';
import { type BrokerAddress, withCredentials } from './broker-addresses.ts';

/**
 * The parts of a join link, `shoal:join?broker=…&token=…&cert=…`. It contains an access token:
 * anyone who reads the link can connect to the broker.
 */
export interface JoinLink {
	/** URL of the broker; or URLs of the brokers of one cluster, at most 16, which all take the token. */
	readonly broker: BrokerUrls;
	/** Access token of the brokers. It is sent to these brokers only. */
	readonly token: string;
	/**
	 * SHA-256 fingerprint of the certificate of the brokers, 64 hex digits; or as many fingerprints as
	 * there are mqtts: URLs, in their order; undefined if an authority has signed the certificates.
	 */
	readonly cert?: string | readonly string[] | undefined;
}

const TOKEN = /^[A-Za-z0-9_-]{16,64}$/;
const FINGERPRINT = /^[0-9a-f]{64}$/;

/** The text of a join link. @throws ShoalError ERR_LINK for more than 16 brokers */
export function formatJoinLink({ broker, token, cert }: JoinLink): string {
	const query = new URLSearchParams();
	const urls = listOf(broker);
	checkCount(urls.length);
	for (const url of urls) {
		query.append('broker', url);
	}
	query.append('token', token);
	for (const each of listOf(cert)) {
		query.append('cert', each);
	}
	return `shoal:join?${query}`;
}

/** Reads a join link. The message of an error does not contain the token. @throws ShoalError ERR_LINK */
export function parseJoinLink(text: string): JoinLink {
	const [, query] = /^shoal:join\?(.*)$/is.exec(text.trim()) ?? [];
	if (query === undefined) {
		throw new ShoalError('ERR_LINK', 'that is no join link: shoal:join?broker=…&token=… expected');
	}
	const fields = new URLSearchParams(query);
	const token = fields.get('token') ?? '';
	if (!TOKEN.test(token)) {
		throw new ShoalError(
			'ERR_LINK',
			"the join link has no token, or only a part of it; a shell cuts it at the & unless it is in quotes: shoal join 'LINK'",
		);
	}
	const certs = fields.getAll('cert').map((each) => each.toLowerCase());
	if (!certs.every((each) => FINGERPRINT.test(each))) {
		throw new ShoalError('ERR_LINK', 'the fingerprint in the join link is not 64 hex digits');
	}
	const [first = '', ...others] = fields.getAll('broker');
	const link = joinLink([first, ...others].map(parseBrokerUrl), token, certs);
	return link;
}

/** The brokers of a join link, each with its credentials. */
export function joinedAddresses({ broker, token, cert }: JoinLink): BrokerAddress[] {
	return withCredentials(listOf(broker), listOf(cert), token);
}

/** @throws ShoalError ERR_LINK */
function joinLink(urls: readonly string[], token: string, certs: readonly string[]): JoinLink {
	const all = credentials(urls, certs);
	const distinct = distinctBrokers(all, ({ url }) => url);
	checkCount(distinct.length);
	// A single fingerprint is kept; of several, those of a broker that is named again are left out.
	const kept = certs.length > 1 ? distinct.flatMap(({ cert }) => cert ?? []) : certs;
	const cert = oneOrList(kept);
	return {
		broker: oneOrList(distinct.map(({ url }) => url)) as BrokerUrls,
		token,
		...(cert === undefined ? {} : { cert }),
	};
}

/** @throws ShoalError ERR_LINK for several fingerprints, but not one for each mqtts: URL */
function credentials(urls: readonly string[], certs: readonly string[]): BrokerAddress[] {
	try {
		return withCredentials(urls, certs);
	} catch (cause) {
		throw new ShoalError('ERR_LINK', `in the join link ${(cause as Error).message}`, { cause });
	}
}
