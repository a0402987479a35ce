import type { Scope } from './suite.ts';

/** A clock that only goes when it is told to. */
export interface Clock {
	readonly now: () => number;
	advance(ms: number): void;
}

/** A clock at an arbitrary time, as monotonic clocks start anywhere. */
export function fakeClock(start = 1_234_567): Clock {
	let time = start;
	return {
		now: () => time,
		advance: (ms) => {
			time += ms;
		},
	};
}

/** Has the monotonic clock of this whole process go on, and jump when it is told to, until the test ends. */
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

/** Numbers from 0 to 1 that look random and are the same in every run (mulberry32). */
export function fakeRandom(seed = 1): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}
