const STEP_MS = 5;

/** Waits until `condition` holds, or fails after `deadline` ms and says what was waited for. */
export async function until(
	what: string,
	condition: () => unknown,
	deadline = 60_000,
): Promise<void> {
	const end = performance.now() + deadline;
	while (!(await condition())) {
		if (performance.now() > end) {
			throw new Error(`waited ${deadline} ms in vain: ${what}`);
		}
		await new Promise((resolve) => setTimeout(resolve, STEP_MS));
	}
}
