import type { Unsubscribe } from 'nanoevents';
import type { ChannelDocument, KeyChain } from '../../protocol/index.ts';
import type { ChannelSession } from './channel-session.ts';
import type { FleetMember } from './fleet.ts';

/** ms after which {@link FleetWatch.settled} resolves even if receipts go on arriving. */
const MOST_WAIT = 30_000;

/** ms within which receipts arrive that this node had to ask for, because the broker retains nothing. */
const ANSWERS_WITHIN = 3_500;

/** The followers of a channel, as their receipts say. */
export class FleetWatch {
	readonly #session: ChannelSession;

	/** {@link ShoalNode.fleet} calls this. @internal */
	constructor(session: ChannelSession) {
		this.#session = session;
	}

	/** The newest document of the channel; undefined before one is known. */
	get newest(): ChannelDocument | undefined {
		return this.#session.newest;
	}

	/** The verified keys of the channel; undefined before they are known. */
	get chain(): KeyChain | undefined {
		return this.#session.chain;
	}

	/** The followers, sorted by name and id. */
	get members(): FleetMember[] {
		return this.#session.fleet.members(this.newest);
	}

	/** Calls `handler` when a receipt or a newer document has arrived. @returns a function that removes it */
	onChange(handler: () => void): Unsubscribe {
		const removers = [
			this.#session.on('receipt', () => handler()),
			this.#session.on('newest', () => handler()),
		];
		return () => {
			for (const remove of removers) {
				remove();
			}
		};
	}

	/**
	 * Resolves when no message of the channel has arrived for 300 ms, so that the retained ones are
	 * here; after 30 s at the latest. If nothing is retained, waits for what the followers send when
	 * they are asked.
	 */
	async settled(signal?: AbortSignal): Promise<void> {
		await this.#session.settled(signal, { most: MOST_WAIT });
		if (!this.#session.isRetained) {
			await this.#session.settled(signal, { quiet: ANSWERS_WITHIN, most: ANSWERS_WITHIN });
		}
	}

	/** Ends the subscriptions. */
	async close(): Promise<void> {
		await this.#session.close();
	}
}
