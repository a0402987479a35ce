import * as assert from 'uvu/assert';

/** Waits until `isTrue` holds, and fails if it does not within `ms`. */
export async function until(isTrue: () => boolean, what: string, ms = 3_000): Promise<void> {
	const end = performance.now() + ms;
	while (!isTrue()) {
		if (performance.now() > end) {
			assert.unreachable(`not within ${ms} ms: ${what}`);
		}
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

/** What keeps the process alive now, sorted: equal before and after if nothing was left open. */
export function openResources(): string[] {
	return process.getActiveResourcesInfo().sort();
}
