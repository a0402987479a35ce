import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scope } from '../../helpers/harness/suite.ts';

const MOUNT = '/sys/fs/cgroup/memory';

/** Returns why the memory of processes cannot be limited on this machine; undefined if it can. */
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
 * A memory cgroup. It limits the memory of all its processes together, page cache included, and the
 * kernel kills one of them if the limit is not enough. It is a child of the cgroup of this process,
 * so the limits of that cgroup still apply.
 */
export class MemoryGroup {
	/** The words before a command that run it in the group. */
	readonly within: readonly string[];
	readonly #folder: string;

	/**
	 * Makes the group. It is removed when the scope ends, after its processes.
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

	/** Memory of the processes without the page cache, bytes. The kernel cannot reclaim it. */
	get anonymous(): number {
		return Number(/^total_rss (\d+)$/m.exec(this.#read('memory.stat'))?.[1]);
	}

	/** The number of processes that the kernel has killed for lack of memory. */
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
