import * as assert from 'uvu/assert';
import { later } from '../../../node/util/timers.ts';
import { LONGEST_TIMER } from '../../../protocol/index.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('timers');
const DAY = 86_400_000;

/** Replaces setTimeout. @returns the times for which it was called, and a function that ends one round */
function fakeTimer(t: Scope) {
	const real = globalThis.setTimeout;
	t.defer(() => {
		globalThis.setTimeout = real;
	});
	const asked: number[] = [];
	let isOpen = false;
	let end = (): void => {};
	const fake = (work: () => void, ms: number) => {
		asked.push(ms);
		isOpen = true;
		end = () => {
			isOpen = false;
			work();
		};
		const refresh = (): void => {
			isOpen = true;
		};
		return { refresh, unref: () => {} };
	};
	globalThis.setTimeout = fake as unknown as typeof setTimeout;
	return { asked, isOpen: () => isOpen, pass: () => end() };
}

test('a time that is too long for one timer is waited in several rounds', async (t) => {
	const { asked, isOpen, pass } = fakeTimer(t);
	for (const [days, rounds] of [
		[24, 1],
		[25, 2],
		[3_650, 147],
	] as const) {
		let calls = 0;
		later(() => {
			calls += 1;
		}, days * DAY);
		const [ms = 0, ...others] = asked.splice(0);
		assert.is(others.length, 0);
		assert.ok(ms <= LONGEST_TIMER);
		assert.is(Math.round((ms * rounds) / DAY), days);
		for (let round = 1; round <= rounds; round += 1) {
			assert.equal([calls, isOpen()], [0, true]);
			pass();
		}
		assert.equal([calls, isOpen()], [1, false]);
	}
});

test('a short time is waited as before, also none', async () => {
	let calls = 0;
	for (const ms of [0, 1, 5]) {
		later(() => {
			calls += 1;
		}, ms);
	}
	const cancelled = later(() => {
		calls += 100;
	}, 1);
	clearTimeout(cancelled);
	await until('all were called', () => calls === 3);
});

test.run();
