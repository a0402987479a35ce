import { peakBytes } from '../../helpers/harness/proc.ts';
import type { Scope } from '../../helpers/harness/suite.ts';

const EVERY = 100;

/** The peak of the resident memory of processes, as Linux counts it. */
export class PeakMemory {
	readonly #pids = new Map<number, string>();
	readonly #peaks = new Map<string, number>();

	constructor(t: Scope) {
		const timer = setInterval(() => this.#sample(), EVERY);
		t.defer(() => clearInterval(timer));
	}

	/**
	 * Watches a process until it ends. Of several processes with the same role, the highest peak
	 * counts.
	 */
	watch(role: string, pid: number): void {
		this.#pids.set(pid, role);
	}

	/** The peak of each role, bytes. */
	get peaks(): ReadonlyMap<string, number> {
		this.#sample();
		return this.#peaks;
	}

	#sample(): void {
		for (const [pid, role] of this.#pids) {
			this.#peaks.set(role, Math.max(peakBytes(pid), this.#peaks.get(role) ?? 0));
		}
	}
}
