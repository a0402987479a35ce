import { isShoalError, ShoalError } from '../../protocol/index.ts';

/** The error of work that `signal` has stopped: its reason if that is a ShoalError, else ERR_ABORTED with `message`. */
export function abortError(signal: AbortSignal | undefined, message: string): ShoalError {
	return isShoalError(signal?.reason)
		? signal.reason
		: new ShoalError('ERR_ABORTED', message, { cause: signal?.reason });
}

/**
 * Calls `stop` once when `signal` is aborted, at once if it is already. Without a signal nothing is called.
 *
 * @returns takes the call back; idempotent
 */
export function onAbort(signal: AbortSignal | undefined, stop: () => void): () => void {
	if (signal?.aborted) {
		stop();
		return () => {};
	}
	signal?.addEventListener('abort', stop, { once: true });
	return () => signal?.removeEventListener('abort', stop);
}

/** The outcome of `work`, unless `signal` is aborted first. @throws the reason of `signal`, as it is */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
	return await raced(work, signal, () => signal.reason);
}

/** As {@link unlessAborted}. @throws what {@link abortError} makes of `message` */
export async function unlessStopped<T>(
	work: Promise<T>,
	signal: AbortSignal | undefined,
	message: string,
): Promise<T> {
	return await raced(work, signal, () => abortError(signal, message));
}

async function raced<T>(
	work: Promise<T>,
	signal: AbortSignal | undefined,
	reason: () => unknown,
): Promise<T> {
	let off = (): void => {};
	const aborted = new Promise<never>((_, reject) => {
		off = onAbort(signal, () => reject(reason()));
	});
	try {
		return await Promise.race([aborted, work]);
	} finally {
		off();
	}
}
