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

/** What keeps the process alive now. */
export function openResources(): string[] {
	return process.getActiveResourcesInfo();
}

/** Waits until nothing keeps the process alive that did not do so `before`. */
export async function nothingLeftOpen(before: readonly string[], ms = 500): Promise<void> {
	await until(
		() => {
			const known = [...before];
			return openResources().every((resource) => {
				const index = known.indexOf(resource);
				return index >= 0 && known.splice(index, 1).length === 1;
			});
		},
		'nothing is left open',
		ms,
	);
}
