import { isShoalError, ShoalError } from '../../protocol/index.ts';

/**
 * The error of work that `signal` has stopped: the reason of the signal if that is a ShoalError,
 * else ERR_ABORTED with `message`.
 */
export function abortError(signal: AbortSignal | undefined, message: string): ShoalError {
	return isShoalError(signal?.reason)
		? signal.reason
		: new ShoalError('ERR_ABORTED', message, { cause: signal?.reason });
}

/**
 * Calls `stop` once when `signal` is aborted; immediately if it is aborted already. Without a
 * signal, does nothing.
 *
 * @returns a function that removes the listener; idempotent
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

/**
 * As {@link unlessAborted}, but with another error.
 *
 * @throws the error of {@link abortError} for `message`
 */
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
