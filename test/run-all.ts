import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

// Runs every test file in its own process, so that a file that leaves something open is reported.
// Most files wait much of the time, so more of them run at once than there are cores. Files in
// timing/ measure how long something takes. They run one after the other, except for those that
// mostly wait, and only if the arguments name them.

const HERE = fileURLToPath(new URL('.', import.meta.url));
const AT_ONCE = 2 * availableParallelism();
/** The files that take longest. They start first, so that none of them runs alone at the end. */
const LONG =
	/(web\/(transfer|stored|states|folders)|cli\/(get|channels)|package|gateway\/folder-zip|engine\/swarm(-bound)?|swarm\/(folders|resume|faults|fuzz|outages|direct-faults|unsure-broker)|behaviour\/(rates|wrong-peers|failing-calls|secrets|streams|unsure-channels)|announcer|peers\/make-way|cli\/signals)\.test\.js$/;
const TIMING = /^timing\//;
/** Timing files that need little of the processor: they run at the same time. */
const WAITING = /^timing\/(channels|rates|recovery)\./;
/** As the command line does, V8 optimizes code later: most files end before that pays. */
const FLAGS = ['--interrupt-budget=1000000'];
/**
 * Files that run alone: one measures how a browser copes with load, and one needs a network on which no
 * other test announces a broker.
 */
const ALONE = /^(web\/load|cli\/few-files)\./;

/**
 * Prefixes of the test files to run. Without any, all files run except those in web/, which need a
 * browser, and those in timing/.
 */
const asked = process.argv.slice(2);

interface Result {
	readonly file: string;
	readonly code: number | null;
	readonly output: string;
	readonly total: number;
	readonly passed: number;
	readonly skipped: number;
	readonly seconds: number;
}

function runFile(file: string): Promise<Result> {
	return new Promise((resolve) => {
		const start = performance.now();
		const child = spawn(process.execPath, [...FLAGS, `${HERE}${file}`], { env: process.env });
		let output = '';
		const keep = (data: Buffer): void => {
			output += data;
		};
		child.stdout.on('data', keep);
		child.stderr.on('data', keep);
		child.on('close', (code) => {
			const count = (name: string): number => {
				return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(output)?.[1] ?? 0);
			};
			const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')];
			const seconds = Math.round((performance.now() - start) / 1_000);
			resolve({ file, code, output, total, passed, skipped, seconds });
		});
	});
}

/** Runs `files`, `atOnce` at a time, and removes them from the list. */
async function runAll(files: string[], atOnce: number): Promise<Result[]> {
	const results: Result[] = [];
	const lane = async (): Promise<void> => {
		for (let file = files.shift(); file !== undefined; file = files.shift()) {
			results.push(await runAndTell(file));
		}
	};
	await Promise.all(Array.from({ length: atOnce }, lane));
	return results;
}

/** A timing test can fail by chance: a file that fails runs once more, and that result counts. */
async function runTiming(files: readonly string[]): Promise<Result[]> {
	const waiting = files.filter((file) => WAITING.test(file));
	const results = await Promise.all(waiting.map(runAndTell));
	for (const file of files.filter((each) => !WAITING.test(each))) {
		results.push(await runAndTell(file));
	}
	for (const [index, result] of results.entries()) {
		results[index] = isGood(result) ? result : await runAndTell(result.file);
	}
	return results;
}

async function runAndTell(file: string): Promise<Result> {
	const result = await runFile(file);
	const { passed, total, seconds, output } = result;
	const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : '';
	const word = isGood(result) ? 'ok  ' : 'FAIL';
	console.log(`${word} ${file}  ${passed} of ${total}${skipped}, ${seconds} s`);
	// If the arguments name files, their output is printed, as it has their measurements.
	if (!isGood(result) || asked.length > 0) {
		console.log(output);
	}
	return result;
}

function isGood({ code, total, passed, skipped }: Result): boolean {
	return code === 0 && passed === total && total + skipped > 0;
}

const isAskedFor = (file: string): boolean =>
	asked.length > 0
		? asked.some((start) => file.startsWith(start))
		: !file.startsWith('web/') && !TIMING.test(file);
const all = await readdir(HERE, { recursive: true });
const files = all.filter((file) => file.endsWith('.test.js') && isAskedFor(file)).sort();
const isLong = (file: string): boolean => LONG.test(file);
const together = files.filter((file) => !TIMING.test(file) && !ALONE.test(file));
const results = [
	...(await runAll(
		[...together.filter(isLong), ...together.filter((file) => !isLong(file))],
		// A browser has several processes, so fewer files run at once.
		asked.some((start) => start.startsWith('web/')) ? availableParallelism() : AT_ONCE,
	)),
	...(await runAll(
		files.filter((file) => ALONE.test(file)),
		1,
	)),
	...(await runTiming(files.filter((file) => TIMING.test(file)))),
];

const passed = results.reduce((sum, result) => sum + result.passed, 0);
// A file that exits with an error counts as one failure, even if none of its tests failed.
const failed = results.reduce(
	(sum, result) => sum + (isGood(result) ? 0 : Math.max(1, result.total - result.passed)),
	0,
);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
