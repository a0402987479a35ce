import { LONGEST_TIMER } from '../../protocol/index.ts';

/**
 * Calls `work` after `ms`, which can be any time on Node.js. The timer does not keep the process
 * running.
 */
export function later(work: () => void, ms: number): ReturnType<typeof setTimeout> {
	// One timer cannot wait longer, so it waits several times. Its handle stays the same.
	let rounds = Math.max(1, Math.ceil(ms / LONGEST_TIMER));
	const timer = setTimeout(() => {
		rounds -= 1;
		if (rounds > 0) {
			timer.refresh();
		} else {
			work();
		}
	}, ms / rounds);
	return unref(timer);
}

/** Calls `work` every `ms`, at most {@link LONGEST_TIMER}. The timer does not keep the process running, as with {@link later}. */
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
