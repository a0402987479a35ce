import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

// Figures of a process on Linux. On other systems, and for a process that has ended, all figures
// are 0.

const TICKS = Number(tryRun('getconf', ['CLK_TCK'])) || 100;

/** User and system time of all threads of a process. */
export function cpuSeconds(pid: number): number {
	// The name of the program, in brackets, may contain any characters.
	const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
	return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS;
}

/** The peak of the resident bytes of a process, since its start or since the last reset. */
export function peakBytes(pid: number): number {
	return Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024;
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
	return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024;
}

/** Resident bytes of all processes of a process group. */
export function groupBytes(group: number): number {
	const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
	return pids
		.filter((pid) => Number(read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[2]) === group)
		.reduce((sum, pid) => sum + residentBytes(pid), 0);
}

/** The number of open files and connections of a process. */
export function openDescriptors(pid: number): number {
	try {
		return readdirSync(`/proc/${pid}/fd`).length;
	} catch {
		return 0;
	}
}

/** Resets the peak to the resident bytes of now, if that is permitted. */
export function resetPeak(pid: number): void {
	try {
		writeFileSync(`/proc/${pid}/clear_refs`, '5');
	} catch {
		// Without permission, the peak is that since the start of the process.
	}
}

/** Bytes that a process has read from files, sockets and pipes. */
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
