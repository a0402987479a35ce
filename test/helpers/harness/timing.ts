import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import * as assert from 'uvu/assert';
import { type Suite, suite } from './suite.ts';

/** Measurements before a bound counts as missed, as another process can disturb a single one. */
const TRIES = 3;
/** Checks of the machine before it counts as too busy. */
const LOOKS = 20;
const LOOK_MS = 500;
/** The fraction of all cores that must be idle. */
const LEAST_IDLE = 0.7;
/**
 * MB/s of SHA-256 on one core: half the rate of the slowest machine on which the bounds were
 * determined.
 */
const LEAST_HASHED = 150;
/** ms that a timer may be late. */
const MOST_LATE = 30;

/** The bound of a figure. */
export interface Bound {
	readonly unit: string;
	readonly least?: number;
	readonly most?: number;
}

/**
 * A suite for tests that measure time. If the machine is too slow or too busy, they are skipped,
 * and the reason is printed.
 */
export async function timingSuite(
	name: string,
	options: { timeout?: number } = {},
): Promise<Suite> {
	const test = suite(name, { timeout: 120_000, ...options });
	const reason = await whyNot();
	if (reason === undefined) {
		return test;
	}
	console.log(`${name}: skipped, ${reason}`);
	return Object.assign((title: string) => test.skip(title), test);
}

/**
 * Measures a figure until it is within its bound, at most three times, and prints each measurement.
 *
 * @throws AssertionError if no measurement is within the bound
 */
export async function judge(
	what: string,
	bound: Bound,
	measure: () => Promise<number>,
): Promise<void> {
	const { unit, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = bound;
	const figures: string[] = [];
	for (let attempt = 0; attempt < TRIES; attempt += 1) {
		const figure = await measure();
		figures.push(figure.toPrecision(3));
		console.log(`${what}: ${figure.toPrecision(3)} ${unit} (${printBound(bound)})`);
		if (figure >= least && figure <= most) {
			return;
		}
	}
	assert.unreachable(`${what}: ${figures.join(', ')} ${unit}, ${printBound(bound)} expected`);
}

function printBound({ least, most }: Bound): string {
	const parts = [
		least === undefined ? [] : [`at least ${least}`],
		most === undefined ? [] : [`at most ${most}`],
	];
	return parts.flat().join(', ');
}

/**
 * Returns why times cannot be measured on this machine, or undefined if they can. It waits up to
 * ten seconds for a quiet moment.
 */
async function whyNot(): Promise<string | undefined> {
	let reason: string | undefined;
	for (let look = 0; look < LOOKS; look += 1) {
		reason = await whyNotNow();
		if (reason === undefined) {
			return undefined;
		}
	}
	return reason;
}

async function whyNotNow(): Promise<string | undefined> {
	const before = cpuTimes();
	const begun = performance.now();
	await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
	const late = performance.now() - begun - LOOK_MS;
	const after = cpuTimes();
	const idle = (after.idle - before.idle) / Math.max(1, after.all - before.all);
	if (idle < LEAST_IDLE) {
		return `the machine is busy: ${Math.round(idle * 100)} % of it is idle, ${LEAST_IDLE * 100} % are needed`;
	}
	if (late > MOST_LATE) {
		return `the machine is busy: a timer was ${Math.round(late)} ms late`;
	}
	const rate = hashRate();
	return rate < LEAST_HASHED
		? `the machine is slow: SHA-256 of ${Math.round(rate)} MB/s, ${LEAST_HASHED} are needed`
		: undefined;
}

/** CPU time of all cores since the system started, ms. */
function cpuTimes(): { idle: number; all: number } {
	let [idle, all] = [0, 0];
	for (const { times } of cpus()) {
		idle += times.idle;
		all += times.idle + times.user + times.sys + times.nice + times.irq;
	}
	return { idle, all };
}

/** MB/s of SHA-256 on one core. */
function hashRate(): number {
	const block = new Uint8Array(16e6);
	const begun = performance.now();
	createHash('sha256').update(block).digest();
	return 16e3 / (performance.now() - begun);
}
