import { until } from './until.ts';

/** What keeps the process alive now. */
export function openResources(): string[] {
	return process.getActiveResourcesInfo();
}

/**
 * Waits until nothing keeps the process alive that did not do so `before`.
 *
 * @param ms less than any timer that could be left takes to end by itself: most of them take ten seconds
 */
export async function nothingLeftOpen(before: readonly string[], ms = 5_000): Promise<void> {
	const isLeft = (): boolean => {
		const known = [...before];
		return openResources().some((resource) => {
			const index = known.indexOf(resource);
			return index < 0 || known.splice(index, 1).length === 0;
		});
	};
	await until('nothing is left open', () => !isLeft(), ms);
}
