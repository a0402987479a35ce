import { printableUrl } from '../../../protocol/index.ts';

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

	/** @param brokers URLs of all brokers */
	constructor(brokers: readonly string[]) {
		this.#isList = brokers.length > 1;
	}

	/** The connection to `broker` was lost. */
	lost(broker: string): string {
		this.#lost = broker;
		return this.#isList
			? `the connection to ${broker} was lost; shoal tries all brokers of the list, and goes on when one can be reached`
			: 'the broker cannot be reached; shoal keeps trying, and goes on when the broker is back';
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
