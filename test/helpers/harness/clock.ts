import type { Scope } from './suite.ts';

/** A clock that advances only when a test says so. */
export interface Clock {
	readonly now: () => number;
	advance(ms: number): void;
}

/** Makes a clock that starts at an arbitrary time, as monotonic clocks do. */
export function fakeClock(start = 1_234_567): Clock {
	let time = start;
	return {
		now: () => time,
		advance: (ms) => {
			time += ms;
		},
	};
}

/**
 * Lets a test make the monotonic clock of this process jump. The clock keeps running, and is
 * restored when the test ends.
 */
export function jumpingClock(t: Scope): Clock {
	const now = performance.now.bind(performance);
	let ahead = 0;
	const clock: Clock = {
		now: () => now() + ahead,
		advance: (ms) => {
			ahead += ms;
		},
	};
	Object.assign(performance, { now: clock.now });
	t.defer(() => Object.assign(performance, { now }));
	return clock;
}
