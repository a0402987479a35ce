import { isShoalError, parseBrokerUrl } from '../../../protocol/index.ts';
import { joinedBroker } from './joined-broker.ts';
import type { FoundBroker } from './mdns.ts';
import { ownBroker } from './own-brokers.ts';

const LOCAL_BROKER = 'mqtt://127.0.0.1:1883';

/**
 * The broker that somebody named: on the command line, in the link, in SHOAL_BROKER, or by `shoal join`; undefined if
 * nobody did.
 *
 * @throws ShoalError ERR_LINK
 */
export function namedBroker(named: string | undefined, ofLink?: string): string | undefined {
	const chosen = named ?? ofLink ?? (process.env.SHOAL_BROKER || joinedBroker()?.broker);
	return chosen === undefined ? undefined : parseBrokerUrl(chosen);
}

/**
 * As {@link namedBroker}, else the one that this user runs on this machine, else whichever is at the usual port.
 *
 * @throws ShoalError ERR_LINK, ERR_BROKER
 */
export function chooseBroker(named: string | undefined): string {
	return namedBroker(named) ?? ownBroker()?.broker ?? LOCAL_BROKER;
}

/**
 * Connects to the broker that was named; where none was, to the one that this user runs on this machine, or whichever is at
 * the usual port, and where none is, to one on the LAN.
 *
 * @param named as {@link namedBroker} has it
 * @param connect connects to the broker at a URL; throws ERR_BROKER where it cannot be reached
 * @param found told of a broker on the LAN before it is connected to
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
