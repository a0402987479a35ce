import { isDueAt } from '../util/seldom.ts';
import { every, later } from '../util/timers.ts';

/** Options of {@link Asks}. */
export interface AsksOptions {
	/** Whether there is a connection to the broker now. */
	readonly isUp: () => boolean;
	/** Whether receipts are wanted as well as documents. */
	readonly wantsReceipts: boolean;
	/** Returns a number from 0 to 1. */
	readonly random: () => number;
	/** Asks all nodes of the channel for what they have. */
	readonly ask: () => void;
	/** Publishes what this node has. */
	readonly answer: () => void;
}

/** Most seconds between two questions of a node that hears nothing; the first ones come sooner. */
const MOST_BETWEEN = 64;
/** Seconds after which a node no longer asks for receipts: a channel may have no followers. */
const RECEIPTS_WITHIN = 8;
/**
 * ms within which a node answers, at a random time, unless another node answers before; the
 * publisher within a tenth of it.
 */
const ANSWER_WITHIN = 1_000;
/** ms between two answers. */
const ANSWER_EVERY = 2_000;

/**
 * Questions and answers on a channel whose broker does not retain its messages, or has lost them: a
 * node that has heard nothing for a second asks, and one of the nodes that have the newest document
 * publishes it again.
 */
export class Asks {
	readonly #options: AsksOptions;
	/** Whether a document has arrived on this connection. */
	#hasDocument = false;
	#isRetained = false;
	/** Looks on this connection, one each second, while something is missing. */
	#looks = 0;
	#answer: ReturnType<typeof setTimeout> | undefined;
	#answeredAt = Number.NEGATIVE_INFINITY;
	readonly #timer: ReturnType<typeof setInterval>;

	constructor(options: AsksOptions) {
		this.#options = options;
		this.#timer = every(() => this.#look(), 1_000);
	}

	/**
	 * Whether the broker has sent a retained message of the channel on this connection, so that there
	 * is no receipt to ask for.
	 */
	get isRetained(): boolean {
		return this.#isRetained;
	}

	/** A message has arrived. */
	heard(isDocument: boolean, isRetained: boolean): void {
		this.#hasDocument ||= isDocument;
		this.#isRetained ||= isRetained;
	}

	/** The connection is lost: what is still retained arrives again after the reconnect. */
	disconnected(): void {
		this.#hasDocument = false;
		this.#isRetained = false;
		this.#looks = 0;
	}

	/** Another node has asked, or has shown that it knows an older document only. */
	asked(isPublisher: boolean): void {
		const now = performance.now();
		if (now - this.#answeredAt >= ANSWER_EVERY) {
			this.#answeredAt = now;
			const within = isPublisher ? ANSWER_WITHIN / 10 : ANSWER_WITHIN;
			this.#answer = later(this.#options.answer, this.#options.random() * within);
		}
	}

	/** Another node has published the newest document, so this one does not have to. */
	answered(): void {
		clearTimeout(this.#answer);
	}

	/** Ends all timers. */
	close(): void {
		clearTimeout(this.#answer);
		clearInterval(this.#timer);
	}

	#look(): void {
		const { isUp, ask, wantsReceipts } = this.#options;
		const lacksReceipts = wantsReceipts && !this.#isRetained && this.#looks < RECEIPTS_WITHIN;
		const isMissing = !this.#hasDocument || lacksReceipts;
		this.#looks = isUp() && isMissing ? this.#looks + 1 : this.#looks;
		if (isMissing && isDueAt(this.#looks, MOST_BETWEEN)) {
			ask();
		}
	}
}
