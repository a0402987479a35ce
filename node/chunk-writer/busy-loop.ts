/** ms over which the load is measured. */
const PERIOD = 100;
/** Share of a core. A process that uses more than this of one core is not waiting for a core. */
const MOST = 0.85;
/** ms. A single piece of work that takes longer waits for a slow disk. */
const LONGEST = 50;
/** ms for which the event loop counts as busy after it was found to be. */
const MEMORY = 1_000;

/**
 * Finds out whether a thread would do the work of the event loop sooner. It would if the event loop
 * is the bottleneck: the process uses a whole core, or the work waits for a disk. It would not if the
 * process waits for the network, or for a core because other processes use all of them.
 */
export class BusyLoop {
	readonly #now: () => number;
	readonly #cpu: () => number;
	#since: number;
	#used: number;
	#busyUntil = Number.NEGATIVE_INFINITY;

	/**
	 * @param now returns the time, ms
	 * @param cpu returns the processor time that this process has used, ms
	 */
	constructor(now: () => number = () => performance.now(), cpu: () => number = cpuTime) {
		this.#now = now;
		this.#cpu = cpu;
		this.#since = now();
		this.#used = cpu();
	}

	/** Whether a thread would do the work sooner, as far as was seen within the last second. */
	get isBusy(): boolean {
		return this.#now() < this.#busyUntil;
	}

	/** A piece of work has taken `ms`. */
	worked(ms: number): void {
		const now = this.#now();
		const elapsed = now - this.#since;
		let isBusy = ms > LONGEST;
		if (elapsed >= PERIOD) {
			const used = this.#cpu();
			isBusy ||= (used - this.#used) / elapsed > MOST;
			this.#since = now;
			this.#used = used;
		}
		if (isBusy) {
			this.#busyUntil = now + MEMORY;
		}
	}
}

function cpuTime(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1_000;
}
