/** The first and the last number of each run of consecutive numbers; `numbers` ascends. */
export function runsOf(numbers: readonly number[]): Array<readonly [first: number, last: number]> {
	const runs: Array<[number, number]> = [];
	for (const number of numbers) {
		const run = runs.at(-1);
		if (run !== undefined && run[1] === number - 1) {
			run[1] = number;
		} else {
			runs.push([number, number]);
		}
	}
	return runs;
}
