import { isShoalError, type ShoalError } from '../errors.ts';

/**
 * ms between two rounds, at first and at the most: so short that all nodes reconnect within seconds
 * after the broker restarts. The jitter spreads the reconnects.
 */
const RETRY_FIRST = 250;
const RETRY_MOST = 2_000;
/**
 * ms after which an attempt fails in every second round, with several brokers: a server that is
 * switched off does not answer at all. A slow server has the whole timeout in the other rounds.
 */
const SHORT_TIMEOUT = 2_000;
/**
 * ms after which a connection counts as lasting: a server may accept each client and cut it soon
 * after, for example at its first message.
 */
const LASTING = 5_000;

/**
 * Which broker of a list a link connects to, how long it waits before, and for how long it tries.
 * The broker of the last connection is tried first, then those after it in the list, then the list
 * from its start. A round is over when all have been tried once.
 */
export class BrokerChoice<B> {
	/** The list; not empty. */
	readonly brokers: readonly B[];
	readonly #timeout: number;
	readonly #random: () => number;
	#index = 0;
	/** Number of attempts since the last connection that lasted. */
	#attempts = 0;
	/** Whether the last connection ended soon. */
	#endedSoon = false;

	/**
	 * @param timeout ms after which an attempt fails; with several brokers at the most
	 * @param random random number from 0 to 1, for the jitter
	 */
	constructor(brokers: readonly B[], timeout: number, random: () => number) {
		this.brokers = brokers;
		this.#timeout = timeout;
		this.#random = random;
	}

	/** The broker to connect to. */
	get broker(): B {
		return this.brokers[this.#index] as B;
	}

	/** ms after which the next attempt fails. */
	get connectTimeout(): number {
		return this.#isShort(this.#round) ? SHORT_TIMEOUT : this.#timeout;
	}

	/**
	 * ms before the next attempt. The value is random, so that nodes that lost a broker together do
	 * not return together. It grows with the rounds; within a round it is short, because another
	 * broker may well be there.
	 */
	pause(): number {
		const isNewRound = this.#attempts % this.brokers.length === 0;
		const most = isNewRound ? Math.min(RETRY_MOST, RETRY_FIRST * 2 ** this.#round) : RETRY_FIRST;
		return most * (0.5 + this.#random() / 2);
	}

	/** An attempt has failed: the next broker is tried. */
	next(): void {
		this.#attempts += 1;
		this.#index = (this.#index + 1) % this.brokers.length;
	}

	/**
	 * A connection has ended. Its broker is tried first, but one that cuts one connection after the
	 * other soon counts as failed.
	 *
	 * @param ms how long the connection lasted
	 */
	ended(ms: number): void {
		if (ms >= LASTING) {
			this.#attempts = 0;
		} else if (this.#endedSoon) {
			this.next();
		}
		this.#endedSoon = ms < LASTING;
	}

	/**
	 * Whether a broker may only need more time than it had in the last round.
	 *
	 * @param failures the errors of that round
	 */
	mayBeSlow(failures: readonly ShoalError[]): boolean {
		const isSilent = failures.some(({ cause }) => isShoalError(cause, 'ERR_TIMEOUT'));
		return isSilent && this.#isShort(this.#round - 1);
	}

	#isShort(round: number): boolean {
		return this.brokers.length > 1 && round % 2 === 0 && SHORT_TIMEOUT < this.#timeout;
	}

	get #round(): number {
		return Math.floor(this.#attempts / this.brokers.length);
	}
}
