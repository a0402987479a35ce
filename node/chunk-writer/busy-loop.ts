/** ms over which the load is measured. */
const PERIOD = 100;
/** A process that uses more than this share of one core need not wait for a core. */
const WHOLE_CORE = 0.85;
/**
 * Work waits for a disk if it takes more than the first share of the time, the process less than the
 * second share of a core, and no other process takes the core away from it.
 */
const MUCH_TIME = 0.5;
const LITTLE_CPU = 0.2;
/** ms for which the event loop counts as busy after it was found to be. */
const MEMORY = 1_000;

/** What the process has used so far. */
interface Usage {
	/** Processor time, ms. */
	readonly cpu: number;
	/** How often the system gave its core to another process. Windows does not count it. */
	readonly preemptions: number;
}

/**
 * Finds out whether a thread would do the work of the event loop sooner. It would if the event loop
 * is the bottleneck: the process uses a whole core, or the work waits for a disk. It would not if the
 * process waits for the network, or for a core because other processes use all of them.
 */
export class BusyLoop {
	readonly #now: () => number;
	readonly #usage: () => Usage;
	#since: number;
	#used: Usage;
	#worked = 0;
	#busyUntil = Number.NEGATIVE_INFINITY;

	/**
	 * @param now returns the time, ms
	 * @param usage returns what this process has used
	 */
	constructor(now: () => number = () => performance.now(), usage: () => Usage = ownUsage) {
		this.#now = now;
		this.#usage = usage;
		this.#since = now();
		this.#used = usage();
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
			const used = this.#usage();
			const cpu = (used.cpu - this.#used.cpu) / elapsed;
			const waits = this.#worked / elapsed > MUCH_TIME && cpu < LITTLE_CPU;
			const waitsForDisk = waits && used.preemptions === this.#used.preemptions;
			if (cpu > WHOLE_CORE || waitsForDisk) {
				this.#busyUntil = now + MEMORY;
			}
			this.#since = now;
			this.#used = used;
			this.#worked = 0;
		}
	}
}

function ownUsage(): Usage {
	const { userCPUTime, systemCPUTime, involuntaryContextSwitches } = process.resourceUsage();
	return {
		cpu: (userCPUTime + systemCPUTime) / 1_000,
		preemptions: involuntaryContextSwitches,
	};
}
