import { isShoalError, type JoinLink } from '../../../protocol/index.ts';
import { joinedBroker } from './joined-broker.ts';
import { endpointOf, ownCredentials } from './own-brokers.ts';

/** The token for a broker, and the certificate that identifies it. */
export interface Credentials {
	readonly token?: string | undefined;
	/** SHA-256 of its certificate. */
	readonly cert?: string | undefined;
}

/**
 * The credentials for the broker at `url`: its token and certificate if it is the broker that was joined, or one that
 * this user runs on this machine; none for any other broker.
 */
export function credentialsFor(url: string): Credentials {
	const joined = joinedOrNone();
	if (joined !== undefined && endpointOf(joined.broker) === endpointOf(url)) {
		return { token: joined.token, cert: joined.cert };
	}
	return ownCredentials(url) ?? {};
}

function joinedOrNone(): JoinLink | undefined {
	try {
		return joinedBroker();
	} catch (error) {
		if (isShoalError(error, 'ERR_LINK')) {
			return undefined;
		}
		throw error;
	}
}
