/** Random numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/**
 * The random seed of a test: SHOAL_FUZZ_SEED if it is set, to repeat a run, otherwise a new one. It
 * is printed.
 */
export function drawnSeed(): number {
	const seed = Number(process.env.SHOAL_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
	console.log(`to repeat this run, set SHOAL_FUZZ_SEED=${seed}`);
	return seed;
}
