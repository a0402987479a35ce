import { isShoalError, ShoalError } from '../../protocol/index.ts';

/** What something ends with that `signal` has stopped: the reason, if it is one for people. */
export function abortError(signal: AbortSignal | undefined, message: string): ShoalError {
	return isShoalError(signal?.reason)
		? signal.reason
		: new ShoalError('ERR_ABORTED', message, { cause: signal?.reason });
}
