import { type BrokerUrls, isShoalError, listOf, parseBrokerUrl } from '../../../protocol/index.ts';
import { parseBrokers } from '../parse/broker-list.ts';
import { joinedBroker } from './joined-broker.ts';
import type { FoundBroker } from './mdns.ts';
import { ownBroker } from './own-brokers.ts';

const LOCAL_BROKER = 'mqtt://127.0.0.1:1883';

/** The flags that name the brokers of a command. */
export interface ConnectFlags {
	/** The values of `--broker`: URLs, or several with commas between them. */
	readonly broker?: readonly string[] | undefined;
	/** The values of `--cert`: fingerprints of the certificates that the brokers must show. */
	readonly cert?: readonly string[] | undefined;
}

/**
 * URLs of the named brokers: those on the command line, else those of the link, else those of
 * SHOAL_BROKER, else the joined ones (SHOAL_JOIN or `shoal join`); undefined if none is named.
 *
 * @throws ShoalError ERR_LINK
 */
export function namedBrokers(
	named: readonly string[] | undefined,
	ofLink?: BrokerUrls,
): readonly string[] | undefined {
	if (named !== undefined) {
		return parseBrokers(named);
	}
	if (ofLink !== undefined) {
		return listOf(ofLink).map(parseBrokerUrl);
	}
	const { SHOAL_BROKER } = process.env;
	if (SHOAL_BROKER) {
		return parseBrokers([SHOAL_BROKER]);
	}
	const joined = joinedBroker();
	return joined && listOf(joined.broker);
}

/**
 * URLs of the named brokers, else of the one that this user runs on this machine, else port 1883 of
 * this machine.
 *
 * @throws ShoalError ERR_LINK, ERR_BROKER
 */
export function chooseBrokers(named: readonly string[] | undefined): readonly string[] {
	return namedBrokers(named) ?? [ownBroker()?.broker ?? LOCAL_BROKER];
}

/**
 * Connects to one of the named brokers. If none is named, and this user runs a broker on this
 * machine, connects to its public URL, or, if that fails, to its URL `near`. If this user runs none,
 * connects to port 1883 of this machine, or, if that fails, to a broker on the LAN.
 *
 * @param named the result of {@link namedBrokers}
 * @param connect connects to one of the brokers at these URLs; throws ERR_BROKER if none can be
 *   reached
 * @param found finds a broker on the LAN; gets the error of the failed connection to this machine
 * @throws ShoalError ERR_BROKER and what `connect` throws
 */
export async function connectToChosen<T>(
	named: readonly string[] | undefined,
	connect: (brokers: readonly string[]) => Promise<T>,
	found: (reason: unknown) => Promise<FoundBroker>,
): Promise<T> {
	const own = named === undefined ? ownBroker() : undefined;
	try {
		return await connect(named ?? [own?.broker ?? LOCAL_BROKER]);
	} catch (error) {
		if (named !== undefined || !isShoalError(error, 'ERR_BROKER')) {
			throw error;
		}
		return await connect([own?.near ?? (await found(error)).broker]);
	}
}
