import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Load } from '../../protocol/index.ts';

/** Inputs of a {@link LoadMeter}; totals only grow. */
export interface LoadSource {
	readonly clients: number;
	/** Total of bytes received from clients, and of bytes sent to them. */
	readonly received: number;
	readonly sent: number;
	readonly queued: number;
	/** Total of chunk messages that were shed. */
	readonly shed: number;
}

/**
 * ms between two samples of the event loop's delay. Each sample wakes the process; 20 a second take
 * 0.2 % of a core.
 */
const RESOLUTION = 50;

/** Measures the load of a broker between one reading and the next. */
export class LoadMeter {
	readonly #readSource: () => LoadSource;
	readonly #now: () => number;
	readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION });
	#last: { at: number; cpu: number; source: LoadSource };

	/** @param now monotonic time in ms */
	constructor(readSource: () => LoadSource, now: () => number) {
		this.#readSource = readSource;
		this.#now = now;
		this.#last = { at: now(), cpu: usedCpu(), source: readSource() };
		this.#delay.enable();
	}

	/** The load since the last call. */
	read(): Load {
		const { at, cpu, source } = this.#last;
		this.#last = { at: this.#now(), cpu: usedCpu(), source: this.#readSource() };
		const { clients, received, sent, queued, shed } = this.#last.source;
		const seconds = Math.max(1, this.#last.at - at) / 1_000;
		const rate = (gained: number): number => Math.max(0, gained) / seconds;
		const late = this.#delay.percentile(99) / 1e6 - RESOLUTION;
		this.#delay.reset();
		return {
			clients,
			received: Math.round(rate(received - source.received)),
			sent: Math.round(rate(sent - source.sent)),
			queued,
			shed: rounded(rate(shed - source.shed), 1),
			lag: rounded(Math.max(0, late), 1),
			cpu: rounded(rate(this.#last.cpu - cpu), 3),
		};
	}

	close(): void {
		this.#delay.disable();
	}
}

/** Seconds of CPU time that this process has used, on all cores together. */
function usedCpu(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1e6;
}

function rounded(value: number, digits: number): number {
	return Number(value.toFixed(digits));
}
