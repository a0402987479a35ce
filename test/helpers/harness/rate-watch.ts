import type { Scope } from './suite.ts';

const EVERY = 5;
const WINDOW = 2_000;
/** ms without a sample: the machine had no time for us, and no rate can be held against anybody. */
const HELD_UP = 40;

interface Sample {
	/** Ms before and after it was counted. */
	readonly at: number;
	readonly until: number;
	readonly bytes: number;
}

/** Follows a count of bytes, and says how fast it grew in any two seconds. */
export class RateWatch {
	readonly #samples: Sample[] = [];
	readonly #bytes: () => number;

	constructor(t: Scope, bytes: () => number) {
		this.#bytes = bytes;
		this.#sample();
		const timer = setInterval(() => this.#sample(), EVERY);
		t.defer(() => clearInterval(timer));
	}

	#sample(): Sample {
		const sample = { at: performance.now(), bytes: this.#bytes(), until: performance.now() };
		this.#samples.push(sample);
		return sample;
	}

	/**
	 * Has a rate hold from now on. What it returns tells the most bytes by which the count has been ahead of
	 * that rate since: a process that is held up is not ahead the more.
	 */
	aheadOf(rate: number): () => number {
		const start = this.#sample();
		const first = this.#samples.length;
		return () => {
			this.#sample();
			const ahead = this.#samples.slice(first).map(({ until, bytes }) => {
				return bytes - start.bytes - ((until - start.at) * rate) / 1_000;
			});
			return Math.max(...ahead);
		};
	}

	/**
	 * The least (where nothing was held up) and the most bytes per second in any two seconds between `from` and `to` (ms by
	 * performance.now()), between the first byte and the last.
	 */
	extremes(
		from = 0,
		to = Number.POSITIVE_INFINITY,
	): { least: number; most: number; windows: number } {
		const isFlowing = this.#samples.filter(
			({ bytes }) => bytes > 0 && bytes < (this.#samples.at(-1)?.bytes ?? 0),
		);
		const samples = isFlowing.filter(({ at }) => at >= from && at <= to);
		let [least, most, windows] = [Number.POSITIVE_INFINITY, 0, 0];
		let end = 0;
		for (const start of samples) {
			while (end < samples.length && (samples[end]?.at ?? 0) - start.at < WINDOW) {
				end += 1;
			}
			const last = samples[end];
			if (last === undefined) {
				break;
			}
			const pauses = samples.slice(samples.indexOf(start), end).map(({ at }, index, all) => {
				return (all[index + 1]?.at ?? at) - at;
			});
			const rate = ((last.bytes - start.bytes) * 1_000) / (last.at - start.at);
			least = Math.max(...pauses) > HELD_UP ? least : Math.min(least, rate);
			most = Math.max(most, rate);
			windows += 1;
		}
		return { least, most, windows };
	}
}
