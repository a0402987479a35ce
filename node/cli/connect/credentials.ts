import { isShoalError, type JoinLink } from '../../../protocol/index.ts';
import { joinedBroker } from './joined-broker.ts';
import { endpointOf, ownCredentials } from './own-brokers.ts';

/** What a broker lets in with, and how it is known. */
export interface Credentials {
	readonly token?: string | undefined;
	/** SHA-256 of its certificate. */
	readonly cert?: string | undefined;
}

/**
 * What is sent to the broker at `url`: the token of the one that was joined, or that this user runs here, if it is that
 * one, and nothing to others.
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
