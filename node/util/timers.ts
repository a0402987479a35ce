/** Calls `work` after `ms`. The timer does not keep the process running. */
export function later(work: () => void, ms: number): ReturnType<typeof setTimeout> {
	return unref(setTimeout(work, ms));
}

/** Calls `work` every `ms`. The timer does not keep the process running, as with {@link later}. */
export function every(work: () => void, ms: number): ReturnType<typeof setInterval> {
	return unref(setInterval(work, ms));
}

/**
 * Lets the process end before the timer fires. In browsers, a timer is a number and stays as it is.
 */
function unref<T>(timer: T): T {
	(timer as { unref?: () => void }).unref?.();
	return timer;
}
