import {
	type BrokerAddress,
	isShoalError,
	joinedAddresses,
	withCredentials,
} from '../../../protocol/index.ts';
import { parseFingerprints } from '../parse/broker-list.ts';
import { joinedBroker } from './joined-broker.ts';
import { endpointOf, ownCredentials } from './own-brokers.ts';

/** The token for a broker, and the certificate that identifies it. */
export interface Credentials {
	readonly token?: string | undefined;
	/** SHA-256 of its certificate. */
	readonly cert?: string | undefined;
}

/**
 * The brokers at `urls`, each with its own credentials: a token is sent only to a broker that it was
 * issued for.
 *
 * @param typed the values of `--cert`
 * @throws ShoalError ERR_USAGE if the number of fingerprints does not match
 */
export function addressesFor(
	urls: readonly string[],
	typed: readonly string[] = [],
): BrokerAddress[] {
	return withCredentials(urls, parseFingerprints(typed)).map(({ url, cert }) => {
		const own = credentialsFor(url);
		return { url, token: own.token, cert: cert ?? own.cert };
	});
}

/**
 * The credentials for the broker at `url`: its token and certificate if it is one of the brokers that were joined, or
 * one that this user runs on this machine; none for any other broker.
 */
export function credentialsFor(url: string): Credentials {
	const endpoint = endpointOf(url);
	const joined = joinedOrNone().find((each) => endpointOf(each.url) === endpoint);
	return joined ?? ownCredentials(url) ?? {};
}

function joinedOrNone(): BrokerAddress[] {
	try {
		const joined = joinedBroker();
		return joined === undefined ? [] : joinedAddresses(joined);
	} catch (error) {
		if (isShoalError(error, 'ERR_LINK')) {
			return [];
		}
		throw error;
	}
}
