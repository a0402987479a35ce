import type { Decision } from './decisions.ts';
import type { Outbox } from './outbox.ts';
import type { Registry } from './registry.ts';

/** ms for which a sweep waits for its messages to be sent, before it goes on. */
const EMPTIED_WITHIN = 1_000;

/** Options of {@link Sweeper}. */
export interface SweeperOptions {
	readonly registry: Registry;
	readonly outbox: Pick<Outbox, 'emptied'>;
	/** Whether there is a connection, and the tracker is not closing. */
	readonly isOn: () => boolean;
	readonly act: (decisions: readonly Decision[]) => void;
}

/** Drops what has expired in a registry, in steps. */
export class Sweeper {
	readonly #options: SweeperOptions;
	#isSweeping = false;

	constructor(options: SweeperOptions) {
		this.#options = options;
	}

	/**
	 * Drops what has expired, unless an earlier sweep has not ended. Between two steps, messages are
	 * handled, and the messages of a step are sent first, so that replies to nodes do not wait behind
	 * those of all steps.
	 */
	async sweep(): Promise<void> {
		const { registry, outbox, isOn, act } = this.#options;
		if (this.#isSweeping || !isOn()) {
			return;
		}
		this.#isSweeping = true;
		try {
			for (const decisions of registry.sweepInSlices()) {
				act(decisions);
				await new Promise((resolve) => setImmediate(resolve));
				await outbox.emptied(EMPTIED_WITHIN);
				if (!isOn()) {
					break;
				}
			}
		} finally {
			this.#isSweeping = false;
		}
	}
}
