import { cpuSeconds, peakBytes, resetPeak } from '../../helpers/harness/proc.ts';

/** The use of processor and memory by the processes of one role in one measurement. */
export interface Usage {
	/** CPU seconds, the sum of all processes. */
	cpu: number;
	/** The highest peak of resident bytes among the processes. */
	peak: number;
}

/** By role: broker, seeder, downloader. */
export type Usages = Record<string, Usage>;

interface Watched {
	readonly role: string;
	readonly pid: number;
	cpuBefore: number;
}

/** Measures processes on Linux, while they run. On other systems all figures are 0. */
export class Processes {
	readonly #watched: Watched[] = [];

	/** Watches a process. Its use counts from its start, or from the next {@link begin}. */
	watch(role: string, pid: number): void {
		this.#watched.push({ role, pid, cpuBefore: 0 });
	}

	/** Starts a measurement: the use so far does not count. */
	begin(): void {
		for (const each of this.#watched) {
			each.cpuBefore = cpuSeconds(each.pid);
			resetPeak(each.pid);
		}
	}

	/** The use since the start of the measurement. */
	usages(): Usages {
		const usages: Usages = {};
		for (const { role, pid, cpuBefore } of this.#watched) {
			const usage = usages[role] ?? { cpu: 0, peak: 0 };
			usages[role] = usage;
			usage.cpu += cpuSeconds(pid) - cpuBefore;
			usage.peak = Math.max(usage.peak, peakBytes(pid));
		}
		return usages;
	}
}
