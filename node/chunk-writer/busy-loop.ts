/** ms over which the load is measured. */
const PERIOD = 100;
/** A process that uses more than this share of one core need not wait for a core. */
const WHOLE_CORE = 0.85;
/**
 * Work waits for a disk if it takes more than the first share of the time, and the process less than
 * the second share of a core.
 */
const MUCH_TIME = 0.5;
const LITTLE_CPU = 0.2;
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
	#worked = 0;
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
		this.#worked += ms;
		const now = this.#now();
		const elapsed = now - this.#since;
		if (elapsed >= PERIOD) {
			const used = this.#cpu();
			const cpu = (used - this.#used) / elapsed;
			const waitsForDisk = this.#worked / elapsed > MUCH_TIME && cpu < LITTLE_CPU;
			if (cpu > WHOLE_CORE || waitsForDisk) {
				this.#busyUntil = now + MEMORY;
			}
			this.#since = now;
			this.#used = used;
			this.#worked = 0;
		}
	}
}

function cpuTime(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1_000;
}
