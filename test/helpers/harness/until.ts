const STEP_MS = 5;

/**
 * Waits until `condition` is true. After `deadline` ms it fails with an error that names `what`.
 */
export async function until(
	what: string,
	condition: () => unknown,
	deadline = 60_000,
): Promise<void> {
	const end = performance.now() + deadline;
	while (!(await condition())) {
		if (performance.now() > end) {
			throw new Error(`after ${deadline} ms still not true: ${what}`);
		}
		await new Promise((resolve) => setTimeout(resolve, STEP_MS));
	}
}
