import { type NodeListing, TICKET_LIFE } from '../../protocol/index.ts';
import type { Lanes, PeerAddresses } from '../lanes/lanes.ts';
import { setNewest } from '../util/set-newest.ts';
import { later } from '../util/timers.ts';

/** ms that a direct lane has to open before the first request goes through the broker. */
const REACH_FIRST = 300;
/** Most nodes whose addresses are remembered; if there are more, those learned first are dropped. */
const MOST_NODES = 1_000;

/** Opens direct lanes to the nodes of a swarm, at the addresses that the tracker lists. */
export class PeerDialer {
	readonly #lanes: Pick<Lanes, 'reach'>;
	readonly #time: () => number;
	readonly #addresses = new Map<string, PeerAddresses & { readonly learnedAt: number }>();

	/**
	 * @param time ms by a clock that goes on while the machine sleeps, which a monotonic clock may
	 *   not do: other nodes refuse a ticket that expired during the sleep
	 */
	constructor(lanes: Pick<Lanes, 'reach'>, time: () => number = Date.now) {
		this.#lanes = lanes;
		this.#time = time;
	}

	/** Remembers the addresses and tickets of an answer of the tracker. */
	learn(listed: readonly NodeListing[]): void {
		for (const { node, addresses, cert, verified = 0, ticket } of listed) {
			if (ticket !== undefined) {
				const learnedAt = this.#time();
				const found = { addresses, cert, verified, ticket, learnedAt };
				setNewest(this.#addresses, node, found, MOST_NODES);
			}
		}
	}

	/** Forgets `node`: it is not dialled any more. */
	forget(node: string): void {
		this.#addresses.delete(node);
	}

	/**
	 * Opens a direct lane, if a try is due. Resolves when the lane is open, or the try has failed.
	 */
	async dial(node: string): Promise<void> {
		const addresses = this.#addresses.get(node);
		if (addresses !== undefined && this.#time() - addresses.learnedAt < TICKET_LIFE) {
			await this.#lanes.reach(node, addresses);
		}
	}

	/** Does the same as {@link dial}, but resolves after 300 ms at the latest. */
	async reach(node: string): Promise<void> {
		const giveUp = new Promise<void>((resolve) => later(resolve, REACH_FIRST));
		await Promise.race([this.dial(node), giveUp]);
	}
}
