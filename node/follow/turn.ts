/** How many nodes have a version: all of it, or a part. */
export interface SwarmCounts {
	readonly seeders: number;
	readonly downloaders: number;
	/** Whether another node has asked for it before, and has nothing yet. */
	readonly awaited?: boolean | undefined;
}

/**
 * Most ms before a follower fetches a version that is published while it is connected. The time is
 * random: few followers get a short time, and most get a long one.
 */
const SPREAD = 300;
/** Most ms for which a follower then waits until the first follower has fetched the version. */
const MOST_WAIT = 3_000;
/** ms between two looks at the swarm of the version, at first and at the most. */
const LOOK_FIRST = 250;
const LOOK_MOST = 1_000;
/** A document that arrives within so many ms of the start was probably published before it. */
const STARTING = 2_000;

/**
 * Decides when a follower fetches a version. One follower fetches the version from the publisher
 * and shares it with the next ones, which share it in turn. So the publisher sends the version
 * about once, whatever the number of followers.
 */
export class Turn {
	readonly #now: () => number;
	readonly #random: () => number;
	readonly #startedAt: number;
	#notBefore = 0;
	#waitUntil = 0;
	/** Number of looks at the swarm of the version. */
	#looks = 0;

	/**
	 * @param now monotonic time, ms
	 * @param random returns a number from 0 to 1
	 */
	constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
		this.#now = now;
		this.#random = random;
		this.#startedAt = now();
	}

	/** ms until the version may be fetched, or looked at again; 0 if it is time. */
	get wait(): number {
		return Math.max(0, this.#notBefore - this.#now());
	}

	/** There is a newer document. */
	begin(): void {
		const now = this.#now();
		const isNew = now - this.#startedAt > STARTING;
		this.#notBefore = isNew ? now + Math.cbrt(this.#random()) * SPREAD : 0;
		this.#waitUntil = isNew ? this.#notBefore + MOST_WAIT : 0;
		this.#looks = 0;
	}

	/** An attempt has failed: the next one is in `ms`. */
	delay(ms: number): void {
		this.#notBefore = this.#now() + ms;
	}

	/**
	 * Whether another node is fetching the version from the publisher now, and will be a second source
	 * soon. Then {@link wait} is set.
	 *
	 * @param find asks for the swarm of the version; undefined: it is not known
	 */
	async isOfAnother(find: () => Promise<SwarmCounts | undefined>): Promise<boolean> {
		if (this.#now() >= this.#waitUntil) {
			return false;
		}
		const swarm = await find();
		const isBegun = swarm !== undefined && (swarm.downloaders > 0 || swarm.awaited === true);
		const isOther = isBegun && swarm.seeders <= 1;
		if (isOther) {
			this.delay(Math.min(LOOK_MOST, LOOK_FIRST * 2 ** this.#looks));
			this.#looks += 1;
		}
		return isOther;
	}
}
