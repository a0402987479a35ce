import v8 from 'node:v8';
import type { Worker } from 'node:worker_threads';

// By default, V8 optimizes code too early for commands that end soon: the optimization takes a
// tenth of the processor time of a short download. A larger budget delays the optimization.
//
// Compiled code can be used only with the flags of V8 with which it was made. Node.js brings
// compiled code for its own modules, and compiled-code.ts keeps that of the commands. So the flags
// have their defaults while modules are loaded, in a thread too, and when the process ends.

/** V8 of Node.js 20. Later versions have other compilers, and no such flags. */
const VERSION = '11.3.';
/** The second flag: V8 does not throw away the code of the start, so that it can be kept. */
const LATE = ['--interrupt-budget=1000000', '--no-flush-bytecode'];
const DEFAULT = ['--interrupt-budget=67584', '--flush-bytecode'];

/** Delays the optimization of code, now that the modules of a command are loaded. */
export function optimizeLate(): void {
	if (!process.versions.v8.startsWith(VERSION)) {
		return;
	}
	/** Threads that load their modules. */
	const starting = new Set<Worker>();
	const onStarted = (thread: Worker): void => {
		if (starting.delete(thread) && starting.size === 0) {
			set(LATE);
		}
	};
	// The event comes a moment after the thread was started, and before it needs its first module.
	// By then, the creator of the thread has set its own listeners: some creators remove all others.
	process.on('worker', (thread) => {
		starting.add(thread);
		set(DEFAULT);
		thread.once('message', () => onStarted(thread));
		thread.once('exit', () => onStarted(thread));
	});
	process.prependListener('exit', () => set(DEFAULT));
	set(LATE);
}

function set(flags: readonly string[]): void {
	for (const flag of flags) {
		v8.setFlagsFromString(flag);
	}
}
