import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

// Runs every test file in a process of its own, so that each is told by itself when it leaves
// something open. Most of them wait most of the time, so several run at once; those that measure how
// long something takes run alone, at the end.

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ALONE = /(^web\/.*|shedding|floods|faults|registry-limits|make-seed)\.test\.js$/;
// One waits and the other computes, each for most of a minute: neither takes what the other needs.
const SIDE_BY_SIDE = /(rates|engine\/swarm)\.test\.js$/;
const AT_ONCE = availableParallelism() + 1;

/** Starts of the names of test files; without any, all are run but those in web/, which need a browser. */
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
		const child = spawn(process.execPath, [`${HERE}${file}`], { env: process.env });
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

async function runAll(files: string[], atOnce: number): Promise<Result[]> {
	const results: Result[] = [];
	const lane = async (): Promise<void> => {
		for (let file = files.shift(); file !== undefined; file = files.shift()) {
			const result = await runFile(file);
			results.push(result);
			const isGood = result.code === 0 && result.total > 0;
			const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : '';
			console.log(
				`${isGood ? 'ok  ' : 'FAIL'} ${file}  ${result.passed} of ${result.total}${skipped}, ${result.seconds} s`,
			);
			// Who asks for some of them wants to see what they have measured.
			if (!isGood || asked.length > 0) {
				console.log(result.output);
			}
		}
	};
	await Promise.all(Array.from({ length: atOnce }, lane));
	return results;
}

const all = await readdir(HERE, { recursive: true });
// What is covered shows without whole swarms, which have little to add to the tests of their parts.
const isCoverage = process.env.NODE_V8_COVERAGE !== undefined;
const isAskedFor = (file: string): boolean =>
	asked.length > 0
		? asked.some((start) => file.startsWith(start))
		: !file.startsWith('web/') && !(isCoverage && file.startsWith('swarm/'));
const files = all.filter((file) => file.endsWith('.test.js') && isAskedFor(file)).sort();
const together = files.filter((file) => !ALONE.test(file) && !SIDE_BY_SIDE.test(file));
// Nor those that measure time.
const measuring = isCoverage ? [] : files.filter((file) => !together.includes(file));
const results = [
	...(await runAll(together, AT_ONCE)),
	...(await runAll(
		measuring.filter((file) => SIDE_BY_SIDE.test(file)),
		2,
	)),
	...(await runAll(
		measuring.filter((file) => ALONE.test(file)),
		1,
	)),
];

const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => {
	// A file that ends badly without a failed test has failed all the same.
	const missing = result.total - result.passed;
	return sum + (result.code === 0 && result.total > 0 ? missing : Math.max(1, missing));
}, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
