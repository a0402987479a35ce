import { isShoalError, parseBrokerUrl } from '../../../protocol/index.ts';
import { joinedBroker } from './joined-broker.ts';
import type { FoundBroker } from './mdns.ts';
import { ownBroker } from './own-brokers.ts';

const LOCAL_BROKER = 'mqtt://127.0.0.1:1883';

/**
 * The named broker: the broker on the command line, else that of the link, else that of
 * SHOAL_BROKER, else the joined broker (SHOAL_JOIN or `shoal join`); undefined if none is named.
 *
 * @throws ShoalError ERR_LINK
 */
export function namedBroker(named: string | undefined, ofLink?: string): string | undefined {
	const chosen = named ?? ofLink ?? (process.env.SHOAL_BROKER || joinedBroker()?.broker);
	return chosen === undefined ? undefined : parseBrokerUrl(chosen);
}

/**
 * The named broker, else the one that this user runs on this machine, else port 1883 of this
 * machine.
 *
 * @throws ShoalError ERR_LINK, ERR_BROKER
 */
export function chooseBroker(named: string | undefined): string {
	return namedBroker(named) ?? ownBroker()?.broker ?? LOCAL_BROKER;
}

/**
 * Connects to the named broker. If none is named, and this user runs a broker on this machine,
 * connects to its public URL, or, if that fails, to its URL `near`. If this user runs none,
 * connects to port 1883 of this machine, or, if that fails, to a broker on the LAN.
 *
 * @param named the result of {@link namedBroker}
 * @param connect connects to the broker at a URL; throws ERR_BROKER if it cannot be reached
 * @param found finds a broker on the LAN; gets the error of the failed connection to this machine
 * @throws ShoalError ERR_BROKER and what `connect` throws
 */
export async function connectToChosen<T>(
	named: string | undefined,
	connect: (broker: string) => Promise<T>,
	found: (reason: unknown) => Promise<FoundBroker>,
): Promise<T> {
	const own = named === undefined ? ownBroker() : undefined;
	try {
		return await connect(named ?? own?.broker ?? LOCAL_BROKER);
	} catch (error) {
		if (named !== undefined || !isShoalError(error, 'ERR_BROKER')) {
			throw error;
		}
		return await connect(own?.near ?? (await found(error)).broker);
	}
}
