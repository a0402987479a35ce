import type { Scope } from './suite.ts';

const EVERY = 5;
const WINDOW = 2_000;
/**
 * ms without a sample after which this process counts as blocked, so that no rate can be measured.
 */
const HELD_UP = 40;

interface Sample {
	/** The times just before and after the bytes were read, ms. */
	readonly at: number;
	readonly until: number;
	readonly bytes: number;
}

/** Samples a count of bytes, and computes how fast it grew in any two seconds. */
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
	 * Compares the count with a rate from now on. The returned function tells the most bytes by
	 * which the count has been ahead of the rate so far. A blocked process does not increase that
	 * number.
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
	 * Returns the lowest and the highest rate, in bytes per second, of any two seconds between
	 * `from` and `to` (ms by performance.now()), and between the first byte and the last. The
	 * lowest rate ignores seconds in which this process was blocked.
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
