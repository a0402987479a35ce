import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process as it was written down, to be told from one that has its number later, or elsewhere. */
export interface ProcessMark {
	readonly pid: number;
	/** The machine: folders may be shared between several. */
	readonly host: string;
	/** When it was started, in ticks since the system was; undefined where the system does not tell. */
	readonly start?: string | undefined;
}

/** The mark of this process. */
export function ownMark(): ProcessMark {
	const { pid } = process;
	return { pid, host: machine(), start: startOf(pid) };
}

/** Whether the process that has written `mark` runs still, on this machine. */
export function isAlive({ pid, host, start }: ProcessMark): boolean {
	return host === machine() && isRunning(pid) && startOf(pid) === start;
}

/** Whether the process that has written `mark` was on this machine, and runs no more. */
export function isOver(mark: ProcessMark): boolean {
	return mark.host === machine() && !isAlive(mark);
}

/** Whether there is a process of that number. */
export function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}

/** The name of this machine, and which of its starts this is where the system tells. */
function machine(): string {
	return `${hostname()} ${read('/proc/sys/kernel/random/boot_id').trim()}`.trim();
}

function startOf(pid: number): string | undefined {
	// The name of the program, in brackets, may hold anything.
	return read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[19];
}

function read(path: string): string {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		return '';
	}
}
