import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { END } from './batch-end.ts';

// Runs every test file in its own process, so that a file that leaves something open is reported; the
// small files of the parts run several in one process, because they take less time than its start.
// Most files wait much of the time, so more of them run at once than there are cores. Files in
// timing/ measure how long something takes. They run one after the other, except for those that
// mostly wait, and only if the arguments name them.

const HERE = fileURLToPath(new URL('.', import.meta.url));
const AT_ONCE = 2 * availableParallelism();
/** The files that take longest. They start first, so that none of them runs alone at the end. */
const LONG =
	/(web\/(transfer|stored|states|folders)|cli\/(get|channels)|package|gateway\/folder-zip|engine\/swarm(-bound)?|swarm\/(folders|resume|faults|fuzz|outages|direct-faults|unsure-broker)|behaviour\/(rates|wrong-peers|failing-calls|secrets|streams|unsure-channels)|announcer|peers\/make-way|cli\/signals)\.test\.js$/;
const TIMING = /^timing\//;
/** Small files, and how many of them run in one process. */
const SMALL = /^(broker|protocol|node\/(?!cli))/;
const BATCH = 12;
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

/** Runs `files`, at least one, in one process. @returns a result for each file that has begun */
function run(files: readonly string[]): Promise<Result[]> {
	return new Promise((resolve) => {
		const script = files.length === 1 ? files : ['run-batch.js', ...files];
		const [main, ...args] = script as [string, ...string[]];
		const child = spawn(process.execPath, [...FLAGS, `${HERE}${main}`, ...args]);
		let output = '';
		const keep = (data: Buffer): void => {
			output += data;
		};
		child.stdout.on('data', keep);
		child.stderr.on('data', keep);
		child.on('close', (code) => {
			resolve(resultsOf(files, output, code));
		});
	});
}

/** The last file that has begun has the exit code of the process, and what was printed at its end. */
function resultsOf(files: readonly string[], output: string, code: number | null): Result[] {
	const outputs = files.length === 1 ? [output] : output.split(`${END}\n`);
	const rest = outputs.length > files.length ? outputs.pop() : '';
	return outputs.map((text, index) => {
		const isLast = index === outputs.length - 1;
		const own = isLast && rest ? `${text}${rest}in one process with ${files.join(', ')}\n` : text;
		const count = (name: string): number => {
			return Number(new RegExp(`${name}:\\s+([\\d.]+)`).exec(text)?.[1] ?? 0);
		};
		const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')];
		const seconds = Math.round(count('Duration') / 1_000);
		const file = files[index] as string;
		return { file, code: isLast ? code : 0, output: own, total, passed, skipped, seconds };
	});
}

/** Runs `batches`, `atOnce` at a time, and removes them from the list. */
async function runAll(batches: string[][], atOnce: number): Promise<Result[]> {
	const results: Result[] = [];
	const lane = async (): Promise<void> => {
		for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
			const ended = await run(batch);
			ended.forEach(tell);
			results.push(...ended);
			// A file that ends its process keeps others from running.
			if (ended.length < batch.length) {
				batches.push(batch.slice(ended.length));
			}
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
	const [result] = (await run([file])) as [Result];
	tell(result);
	return result;
}

function tell(result: Result): void {
	const { file, passed, total, seconds, output } = result;
	const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : '';
	const word = isGood(result) ? 'ok  ' : 'FAIL';
	console.log(`${word} ${file}  ${passed} of ${total}${skipped}, ${seconds} s`);
	// If the arguments name files, their output is printed, as it has their measurements.
	if (!isGood(result) || asked.length > 0) {
		console.log(output);
	}
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
const small = together.filter((file) => SMALL.test(file) && !isLong(file));
const others = together.filter((file) => !small.includes(file));
const alone = (each: string[]): string[][] => each.map((file) => [file]);
const results = [
	...(await runAll(
		[
			...alone(others.filter(isLong)),
			...Array.from({ length: Math.ceil(small.length / BATCH) }, (_, index) =>
				small.slice(index * BATCH, (index + 1) * BATCH),
			),
			...alone(others.filter((file) => !isLong(file))),
		],
		// A browser has several processes, so fewer files run at once.
		asked.some((start) => start.startsWith('web/')) ? availableParallelism() : AT_ONCE,
	)),
	...(await runAll(alone(files.filter((file) => ALONE.test(file))), 1)),
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
