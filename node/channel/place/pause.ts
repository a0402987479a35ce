import { setImmediate } from 'node:timers/promises';

/** Steps between two turns of the event loop. */
const STEPS_AT_ONCE = 100;

/** Lets other events happen, once for some steps. @param step the number of the step */
export async function pause(step: number): Promise<void> {
	if (step % STEPS_AT_ONCE === STEPS_AT_ONCE - 1) {
		await setImmediate();
	}
}
