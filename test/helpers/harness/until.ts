/** The first looks are 5 ms apart, and after a second 20 ms: a look wakes the whole process. */
const FIRST_STEP_MS = 5;
const LAST_STEP_MS = 20;
/** The part of the time so far that passes until the next look. */
const SHARE = 1 / 50;

/**
 * Waits until `condition` is true. After `deadline` ms it fails with an error that names `what`.
 */
export async function until(
	what: string,
	condition: () => unknown,
	deadline = 60_000,
): Promise<void> {
	const start = performance.now();
	while (!(await condition())) {
		const passed = performance.now() - start;
		if (passed > deadline) {
			throw new Error(`after ${deadline} ms still not true: ${what}`);
		}
		const step = Math.min(Math.max(FIRST_STEP_MS, passed * SHARE), LAST_STEP_MS);
		await new Promise((resolve) => setTimeout(resolve, step));
	}
}
