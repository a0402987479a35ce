import { cpuSeconds, peakBytes, resetPeak } from '../../helpers/harness/proc.ts';

/** The use of processor and memory by the processes of one role in one measurement. */
export interface Usage {
	/** CPU seconds, over all of them. */
	cpu: number;
	/** Bytes resident at most, of the one that had most. */
	peak: number;
}

/** By role: broker, seeder, downloader. */
export type Usages = Record<string, Usage>;

interface Watched {
	readonly role: string;
	readonly pid: number;
	cpuBefore: number;
}

/** Accounts for processes as Linux does; elsewhere all is 0. To be asked while they live. */
export class Processes {
	readonly #watched: Watched[] = [];

	/** Counts from the start of the process, or from the next {@link begin}. */
	watch(role: string, pid: number): void {
		this.#watched.push({ role, pid, cpuBefore: 0 });
	}

	/** Use so far does not count. */
	begin(): void {
		for (const each of this.#watched) {
			each.cpuBefore = cpuSeconds(each.pid);
			resetPeak(each.pid);
		}
	}

	/** The use since then. */
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
