import { readFile, readlink } from 'node:fs/promises';
import { bootId } from './boot-id.ts';

/** Identifies a process, so that another process can find out whether it is still running. */
export interface ProcessIdentity {
	readonly pid: number;
	/** The boot id and the namespace of the pid; `-` if the system does not report them. */
	readonly scope: string;
	/** The start time, in the system's own unit; `-` if the system does not report it. */
	readonly startedAt: string;
}

const UNKNOWN = '-';
let own: Promise<ProcessIdentity> | undefined;

/** The identity of this process. */
export function thisProcess(): Promise<ProcessIdentity> {
	own ??= readOwn();
	return own;
}

/**
 * Whether `process` has ended; undefined if this process cannot know, for example because `process`
 * runs on another machine or in another container.
 */
export async function hasEnded(process: ProcessIdentity): Promise<boolean | undefined> {
	const { scope } = await thisProcess();
	if (scope === UNKNOWN || process.scope !== scope || process.startedAt === UNKNOWN) {
		return undefined;
	}
	return (await startOf(process.pid)) !== process.startedAt;
}

async function readOwn(): Promise<ProcessIdentity> {
	const { pid } = process;
	const [boot, namespace, startedAt] = await Promise.all([
		bootId(),
		readlink('/proc/self/ns/pid').catch(() => undefined),
		startOf(pid),
	]);
	const isKnown = boot !== undefined && namespace !== undefined && startedAt !== undefined;
	const scope = isKnown ? `${boot}/${namespace.replace(/\D/g, '')}` : UNKNOWN;
	return { pid, scope, startedAt: startedAt ?? UNKNOWN };
}

/**
 * The start time of process `pid`, field 22 of `/proc/<pid>/stat`: pid and start time together
 * identify one process. Undefined if there is no such process.
 */
async function startOf(pid: number): Promise<string | undefined> {
	const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
	// The name of the program, in brackets, may contain any character. A zombie counts as ended.
	const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
	return state === 'Z' || state === 'X' ? undefined : fields[18];
}
