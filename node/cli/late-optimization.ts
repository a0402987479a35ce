import v8 from 'node:v8';
import type { Worker } from 'node:worker_threads';

// By default, V8 optimizes code too early for commands that end soon: the optimization takes a
// tenth of the processor time of a short download. A larger budget delays the optimization.
//
// Compiled code can be used only with the flags of V8 with which it was made. Node.js brings
// compiled code for its own modules, and compiled-code.ts keeps that of the commands. So the budget
// has its default while modules are loaded, in a thread too, and when the process ends.

/** V8 of Node.js 20. Later versions have other compilers, and no such flag. */
const VERSION = '11.3.';
const LARGE = '--interrupt-budget=1000000';
const DEFAULT = '--interrupt-budget=67584';

/** Delays the optimization of code, now that the modules of a command are loaded. */
export function optimizeLate(): void {
	if (!process.versions.v8.startsWith(VERSION)) {
		return;
	}
	/** Threads that load their modules. */
	const starting = new Set<Worker>();
	const onStarted = (thread: Worker): void => {
		if (starting.delete(thread) && starting.size === 0) {
			v8.setFlagsFromString(LARGE);
		}
	};
	process.on('worker', (thread) => {
		starting.add(thread);
		v8.setFlagsFromString(DEFAULT);
		thread.once('message', () => onStarted(thread));
		thread.once('exit', () => onStarted(thread));
	});
	process.prependListener('exit', () => v8.setFlagsFromString(DEFAULT));
	v8.setFlagsFromString(LARGE);
}
