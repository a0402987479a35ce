import { isBusy, isShoalError, printableUrl } from '../../../protocol/index.ts';

/** Several brokers as a text: `A, B or C`, without credentials. */
export function anyOf(urls: readonly string[]): string {
	const shown = urls.map(printableUrl);
	const last = shown.pop() ?? '';
	return shown.length === 0 ? last : `${shown.join(', ')} or ${last}`;
}

/**
 * Says when the connection of a node is lost and when it is back: with a list of brokers, which one
 * was lost and which one is used instead.
 */
export class ConnectionTexts {
	readonly #isList: boolean;
	#lost = '';
	#isRefused = false;

	/** @param brokers URLs of all brokers */
	constructor(brokers: readonly string[]) {
		this.#isList = brokers.length > 1;
	}

	/** The connection to `broker` was lost. */
	lost(broker: string): string {
		this.#lost = broker;
		this.#isRefused = false;
		return this.#isList
			? `the connection to ${broker} was lost; shoal tries all brokers of the list, and goes on when one can be reached`
			: 'the connection to the broker was lost; shoal keeps trying to connect, and goes on when it succeeds';
	}

	/**
	 * The text for a warning that comes while there is no connection. Undefined if the broker may accept the client
	 * later, if this was said since the connection was lost, or if there are other brokers.
	 */
	refused(warning: unknown): string | undefined {
		const isFinal =
			isShoalError(warning, 'ERR_REFUSED') &&
			// Refusals of other nodes have the same code.
			warning.message.startsWith('the broker ') &&
			!isBusy(warning);
		if (!isFinal || this.#isRefused || this.#isList) {
			return undefined;
		}
		this.#isRefused = true;
		return 'the broker is there, but no longer accepts this command, which does not go on by itself: stop it, join the broker with its new link, and start it again';
	}

	/** There is a connection to `broker`. */
	back(broker: string): string {
		if (!this.#isList) {
			return 'the broker is back; going on';
		}
		return broker === this.#lost
			? `${broker} is back; going on`
			: `connected to ${broker} instead of ${this.#lost}; going on`;
	}
}
