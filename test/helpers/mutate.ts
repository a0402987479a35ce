/** A stream of numbers from 0 to 1 that is the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** The seed of a test that draws at random: that of the environment, to repeat a run, or a new one. Printed. */
export function drawnSeed(): number {
	const seed = Number(process.env.SHOAL_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
	console.log(`repeat it with SHOAL_FUZZ_SEED=${seed}`);
	return seed;
}

/** Makes other bytes of given ones, or bytes that are nothing at all. */
export class Mutator {
	readonly #random: () => number;

	constructor(seed: number) {
		this.#random = seededRandom(seed);
	}

	/** A whole number from 0 to below `most`. */
	below(most: number): number {
		return Math.floor(this.#random() * most);
	}

	pick<T>(from: readonly T[]): T {
		return from[this.below(from.length)] as T;
	}

	/** `length` bytes at random. */
	bytes(length: number): Buffer {
		return Buffer.from(Array.from({ length }, () => this.below(256)));
	}

	/** `bytes` with one to four changes: a bit, a byte, a stretch that is gone, doubled or new. */
	mutate(bytes: Uint8Array): Buffer {
		let result = Buffer.from(bytes);
		for (let left = 1 + this.below(4); left > 0; left -= 1) {
			const at = this.below(result.length + 1);
			const end = Math.min(result.length, at + 1 + this.below(8));
			const [before, stretch, after] = [
				result.subarray(0, at),
				result.subarray(at, end),
				result.subarray(end),
			];
			result = this.pick([
				() => Buffer.concat([before, stretch.map((byte) => byte ^ (1 << this.below(8))), after]),
				() => Buffer.concat([before, stretch.map(() => this.pick([0, 1, 127, 128, 255])), after]),
				() => Buffer.concat([before, after]),
				() => Buffer.concat([before, stretch, stretch, after]),
				() => Buffer.concat([before, this.bytes(1 + this.below(8)), stretch, after]),
			])();
		}
		return result;
	}
}
