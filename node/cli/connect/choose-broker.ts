import { isShoalError, parseBrokerUrl } from '../../../protocol/index.ts';
import { joinedBroker } from './joined-broker.ts';
import type { FoundBroker } from './mdns.ts';
import { ownBroker } from './own-brokers.ts';

const LOCAL_BROKER = 'mqtt://127.0.0.1:1883';

/**
 * The named broker: the one on the command line, else of the link, of SHOAL_BROKER, or of
 * `shoal join`; undefined if none is named.
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
 * Connects to the named broker. If none is named, connects to the broker that this user runs on
 * this machine, at its public URL or else at its `near` one; if this user runs none, to port 1883
 * of this machine, or else to a broker on the LAN.
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
