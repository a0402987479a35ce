import { ShoalError } from '../../../protocol/index.ts';
import { type FoundBroker, findBrokers } from './mdns.ts';

/** ms within which brokers on the LAN have to answer. */
const SEARCH_TIME = 1_500;

/**
 * Finds a broker on the LAN, when none is named and none runs on this machine.
 *
 * @param reason the error to throw if no broker is found
 * @throws ShoalError ERR_BROKER
 */
export async function foundBroker(reason: unknown): Promise<FoundBroker> {
	return chooseFound(await findBrokers(SEARCH_TIME), reason);
}

/**
 * The broker that was found, if it is the only one and requires no token.
 *
 * @param reason the error to throw if no broker was found
 * @throws ShoalError ERR_BROKER that says what was found, and how to choose
 */
export function chooseFound(all: readonly FoundBroker[], reason: unknown): FoundBroker {
	const [first, second] = all;
	if (first === undefined) {
		throw reason;
	}
	const list = all.map(({ broker, name }) => `${broker} (${name})`).join(', ');
	if (second !== undefined) {
		throw new ShoalError(
			'ERR_BROKER',
			`there are several brokers on this network: ${list}; name one with --broker URL, or join one with: shoal join LINK`,
		);
	}
	if (first.needsToken) {
		throw new ShoalError(
			'ERR_BROKER',
			`there is a broker on this network, ${list}, which requires a token; join it with the link it printed: shoal join LINK`,
		);
	}
	return first;
}
