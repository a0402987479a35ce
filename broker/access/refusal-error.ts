import { ShoalError } from '../../protocol/index.ts';

/**
 * An error ERR_REFUSED without a stack trace: the broker makes one for each packet of a flood, and
 * to record the calls would take a fifth of its time.
 */
export function refusalError(message: string): ShoalError {
	const { stackTraceLimit } = Error;
	Error.stackTraceLimit = 0;
	try {
		return new ShoalError('ERR_REFUSED', message);
	} finally {
		Error.stackTraceLimit = stackTraceLimit;
	}
}
