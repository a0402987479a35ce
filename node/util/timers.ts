/** Calls `work` after `ms`; a process that has nothing else to do does not wait for it. */
export function later(work: () => void, ms: number): ReturnType<typeof setTimeout> {
	return unref(setTimeout(work, ms));
}

/** Calls `work` every `ms`, as {@link later} does. */
export function every(work: () => void, ms: number): ReturnType<typeof setInterval> {
	return unref(setInterval(work, ms));
}

/** Browsers have numbers for timers. */
function unref<T>(timer: T): T {
	(timer as { unref?: () => void }).unref?.();
	return timer;
}
