import { TokenBucket } from '../access/token-bucket.ts';

/** Limits of a {@link SignatureBudget}. */
export interface SignatureLimits {
	/** Checks per second for one client. */
	readonly signatureRate: number;
	/** Checks for one client at once. */
	readonly signatureBurst: number;
	/** Checks per second for all clients. */
	readonly signatureTotal: number;
}

/**
 * Checks per second, and checks at once, that each client has even if the others use up
 * `signatureTotal`. They are enough for a new document, or for the keys of a new channel.
 */
const RESERVED_RATE = 1;
const RESERVED_BURST = 2;

/**
 * Limits how many signatures a broker checks. A check takes about 0.2 ms, so without a limit for
 * all clients together, 256 clients at the limit for one would leave no time for others.
 */
export class SignatureBudget {
	readonly #limits: SignatureLimits;
	readonly #total: TokenBucket;
	readonly #clients = new WeakMap<object, { own: TokenBucket; reserved: TokenBucket }>();

	/** @param now ms, monotonic */
	constructor(limits: SignatureLimits, now: number) {
		this.#limits = limits;
		this.#total = new TokenBucket(limits.signatureTotal, limits.signatureTotal, now);
	}

	/** Whether a signature in a message of `client` may be checked now; if so, it is counted. */
	take(client: object, now: number): boolean {
		const known = this.#clients.get(client);
		const { own, reserved } = known ?? this.#makeBuckets(now);
		if (known === undefined) {
			this.#clients.set(client, { own, reserved });
		}
		return own.take(now) && (reserved.take(now) || this.#total.take(now));
	}

	#makeBuckets(now: number): { own: TokenBucket; reserved: TokenBucket } {
		const { signatureRate, signatureBurst } = this.#limits;
		return {
			own: new TokenBucket(signatureRate, signatureBurst, now),
			reserved: new TokenBucket(RESERVED_RATE, RESERVED_BURST, now),
		};
	}
}
