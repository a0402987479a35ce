const STEP_MS = 5;
/**
 * Checks within three seconds, on an idle machine. A forgotten timer would last longer than that.
 */
const LOOKS = 600;

/** The resources that keep the process alive. */
export function openResources(): string[] {
	return process.getActiveResourcesInfo();
}

/**
 * Waits until nothing keeps the process alive except the resources in `before`. The limit is a
 * number of checks, not a time, because a blocked process cannot close anything either.
 */
export async function nothingLeftOpen(before: readonly string[], looks = LOOKS): Promise<void> {
	const left = (): string[] => {
		const known = [...before];
		return openResources().filter((resource) => {
			const index = known.indexOf(resource);
			return index < 0 || known.splice(index, 1).length === 0;
		});
	};
	for (let look = 0; left().length > 0; look += 1) {
		if (look === looks) {
			throw new Error(`left open: ${left().join(', ')}`);
		}
		await new Promise((resolve) => setTimeout(resolve, STEP_MS));
	}
}
