import { peakBytes } from '../../helpers/harness/proc.ts';
import type { Scope } from '../../helpers/harness/suite.ts';

const EVERY = 100;

/** The most memory that processes have had resident, as Linux counts it. */
export class PeakMemory {
	readonly #pids = new Map<number, string>();
	readonly #peaks = new Map<string, number>();

	constructor(t: Scope) {
		const timer = setInterval(() => this.#sample(), EVERY);
		t.defer(() => clearInterval(timer));
	}

	/** Watches a process until it ends. Processes of the same role are one figure: the highest. */
	watch(role: string, pid: number): void {
		this.#pids.set(pid, role);
	}

	/** Bytes by role. */
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
