import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

// Figures of a process on Linux; elsewhere, and of a process that has ended, all are 0.

const TICKS = Number(tryRun('getconf', ['CLK_TCK'])) || 100;

/** User and system time of a process, all its threads. */
export function cpuSeconds(pid: number): number {
	// The name of the program, in brackets, may hold anything.
	const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
	return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS;
}

/** The most bytes a process has had resident, since its start or since the peak was reset. */
export function peakBytes(pid: number): number {
	return Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024;
}

/** Bytes a process has resident. */
export function residentBytes(pid: number): number {
	return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024;
}

/** How many files and connections a process has open. */
export function openDescriptors(pid: number): number {
	try {
		return readdirSync(`/proc/${pid}/fd`).length;
	} catch {
		return 0;
	}
}

/** Has the peak start from what is resident now, where that is permitted. */
export function resetPeak(pid: number): void {
	try {
		writeFileSync(`/proc/${pid}/clear_refs`, '5');
	} catch {
		// Then it is that of its whole life.
	}
}

/** Bytes a process has read, from files or elsewhere. */
export function bytesRead(pid: number): number {
	return Number(/^rchar: (\d+)/m.exec(read(`/proc/${pid}/io`))?.[1] ?? 0);
}

/** The output of a program; empty if it cannot be run. */
export function tryRun(program: string, args: readonly string[]): string {
	try {
		return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
			.toString()
			.trim();
	} catch {
		return '';
	}
}

function read(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}
