import { END } from './batch-end.ts';

// Runs the test files that its arguments name, relative to this file, one after the other in one
// process, and prints a line after each.

// With this variable, uvu runs no suite before `exec` is called.
Object.assign(globalThis, { UVU_DEFER: 1 });
const { exec } = await import('uvu');

for (const file of process.argv.slice(2)) {
	// The suites of the file join the first group of this queue.
	Object.assign(globalThis, { UVU_QUEUE: [[null]] });
	await import(new URL(file, import.meta.url).href);
	await exec();
	console.log(END);
}
