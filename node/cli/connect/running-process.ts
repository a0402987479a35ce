import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Identifies a process, even if another process has the same pid, later or on another machine. */
export interface ProcessMark {
	readonly pid: number;
	/** The machine, because several machines may share a folder. */
	readonly host: string;
	/** Start time of the process, in clock ticks since boot; undefined without /proc. */
	readonly start?: string | undefined;
}

/** The mark of this process. */
export function ownMark(): ProcessMark {
	const { pid } = process;
	return { pid, host: machine(), start: startOf(pid) };
}

/** Whether the process of the mark still runs, on this machine. */
export function isAlive({ pid, host, start }: ProcessMark): boolean {
	return host === machine() && isRunning(pid) && startOf(pid) === start;
}

/** Whether the process of `mark` ran on this machine, and has ended. */
export function isOver(mark: ProcessMark): boolean {
	return mark.host === machine() && !isAlive(mark);
}

/** Whether a process with this pid exists on this machine. */
export function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}

/** The host name, and the boot id if the system has one. */
function machine(): string {
	return `${hostname()} ${read('/proc/sys/kernel/random/boot_id').trim()}`.trim();
}

function startOf(pid: number): string | undefined {
	// Field 2, the name of the program in brackets, may contain any character.
	return read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[19];
}

function read(path: string): string {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		return '';
	}
}
