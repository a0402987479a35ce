import { readFileSync } from 'node:fs';
import type { Scope } from '../helpers/suite.ts';

const EVERY = 100;

/** The most memory that processes have had resident, as Linux counts it; elsewhere nothing is known. */
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
			const bytes = statusOf(pid, 'VmHWM') * 1_024;
			this.#peaks.set(role, Math.max(bytes, this.#peaks.get(role) ?? 0));
		}
	}
}

/** Bytes that a process has read, from files or elsewhere; 0 if the system does not tell. */
export function bytesRead(pid: number): number {
	return Number(/^rchar: (\d+)/m.exec(read(`/proc/${pid}/io`))?.[1] ?? 0);
}

function statusOf(pid: number, field: string): number {
	return Number(
		new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? 0,
	);
}

function read(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}
