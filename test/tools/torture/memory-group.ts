import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scope } from '../../helpers/harness/suite.ts';

const MOUNT = '/sys/fs/cgroup/memory';

/** Why processes cannot be given a limit of memory here; undefined if they can. */
export function whyNoMemoryGroup(): string | undefined {
	try {
		const folder = nameOf('probe');
		mkdirSync(folder);
		rmdirSync(folder);
		return undefined;
	} catch (error) {
		return `it needs Linux, root and a memory controller of cgroup version 1 at ${MOUNT}: ${(error as Error).message}`;
	}
}

/**
 * A memory cgroup: the processes in it have so many bytes together, page cache included, and the kernel kills one if
 * that is not enough. It is made below the one of this process, so that what bounds this one goes on to do so.
 */
export class MemoryGroup {
	/** The words before a command. */
	readonly within: readonly string[];
	readonly #folder: string;

	/**
	 * It is taken away at the end, after the processes that are started in it.
	 *
	 * @param limit bytes
	 */
	constructor(t: Scope, name: string, limit: number) {
		this.#folder = nameOf(name);
		mkdirSync(this.#folder);
		t.defer(() => rmdirSync(this.#folder));
		writeFileSync(join(this.#folder, 'memory.limit_in_bytes'), String(limit));
		const enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
		this.within = ['sh', '-c', enter, this.#folder];
	}

	/** Bytes that could not be taken back: memory of the processes without the page cache. */
	get anonymous(): number {
		return Number(/^total_rss (\d+)$/m.exec(this.#read('memory.stat'))?.[1]);
	}

	/** How many processes the kernel has killed for want of memory. */
	get kills(): number {
		return Number(/^oom_kill (\d+)$/m.exec(this.#read('memory.oom_control'))?.[1]);
	}

	#read(name: string): string {
		return readFileSync(join(this.#folder, name), 'utf8');
	}
}

function nameOf(name: string): string {
	const own = /^\d+:memory:(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
	return join(MOUNT, own, `shoal-${process.pid}-${name}`);
}
