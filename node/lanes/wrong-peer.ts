import { isShoalError } from '../../protocol/index.ts';

/** Whether an error of a dialling says that somebody answers who is another, or does not let us in. */
export function isWrongPeer(error: unknown): boolean {
	const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
	return errors.some((each) => {
		const { cause } = each as { cause?: { code?: unknown; syscall?: unknown } };
		// Whoever resets a connection was there; other errors of the system, and silence, say nobody was.
		const isNobody = cause?.syscall !== undefined && cause.code !== 'ECONNRESET';
		return isShoalError(each) && !isNobody && !isShoalError(cause, 'ERR_TIMEOUT');
	});
}
