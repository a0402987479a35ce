const STEP_MS = 5;

/** Waits until `condition` holds, or fails after `deadline` ms and says what was waited for. */
export async function until(
	what: string,
	condition: () => unknown,
	deadline = 5_000,
): Promise<void> {
	const end = performance.now() + deadline;
	while (!(await condition())) {
		if (performance.now() > end) {
			throw new Error(`waited ${deadline} ms in vain: ${what}`);
		}
		await new Promise((resolve) => setTimeout(resolve, STEP_MS));
	}
}

/** What keeps the process alive now. */
export function openResources(): string[] {
	return process.getActiveResourcesInfo();
}

/** Waits until nothing keeps the process alive that did not do so `before`. */
export async function nothingLeftOpen(before: readonly string[], ms = 500): Promise<void> {
	const isNothingNew = (): boolean => {
		const known = [...before];
		return openResources().every((resource) => {
			const index = known.indexOf(resource);
			return index >= 0 && known.splice(index, 1).length === 1;
		});
	};
	await until('nothing is left open', isNothingNew, ms);
}
