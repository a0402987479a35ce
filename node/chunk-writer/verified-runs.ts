/** Consecutive chunks that are all right, or all wrong. */
export interface VerifiedRun {
	readonly first: number;
	readonly count: number;
	readonly isGood: boolean;
}

/** The runs of right and of wrong chunks from chunk `first` on. */
export function runsOf(first: number, good: readonly boolean[]): VerifiedRun[] {
	const runs: VerifiedRun[] = [];
	for (const [index, isGood] of good.entries()) {
		const last = runs.at(-1);
		if (last?.isGood === isGood) {
			runs[runs.length - 1] = { ...last, count: last.count + 1 };
		} else {
			runs.push({ first: first + index, count: 1, isGood });
		}
	}
	return runs;
}
