/**
 * Every code an error of shoal can carry. Codes are stable: programs may test them, and the
 * command line maps them to exit codes. The text of an error may change, its code may not.
 */
export type ErrorCode =
	| 'ERR_ABORTED'
	| 'ERR_AMBIGUOUS'
	| 'ERR_BROKER'
	| 'ERR_CHANGED'
	| 'ERR_CLOSED'
	| 'ERR_DISCONNECTED'
	| 'ERR_EXISTS'
	| 'ERR_FOLDER'
	| 'ERR_HEADER'
	| 'ERR_ID'
	| 'ERR_ID_TAKEN'
	| 'ERR_IO'
	| 'ERR_LIMIT'
	| 'ERR_LINK'
	| 'ERR_MESSAGE'
	| 'ERR_NAME'
	| 'ERR_NO_FILE'
	| 'ERR_NO_SPACE'
	| 'ERR_NO_TRACKER'
	| 'ERR_NOT_FOUND'
	| 'ERR_PERMISSION'
	| 'ERR_PORT'
	| 'ERR_RANGE'
	| 'ERR_REFUSED'
	| 'ERR_SEED'
	| 'ERR_SEED_LIES'
	| 'ERR_TIMEOUT'
	| 'ERR_TOPIC'
	| 'ERR_USAGE'
	| 'ERR_INSECURE'
	| 'ERR_WRONG_BYTES';

/** The one error class of shoal: a stable `code`, a sentence for people, and what caused it. */
export class ShoalError extends Error {
	override readonly name = 'ShoalError';
	readonly code: ErrorCode;

	constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
		super(message, options);
		this.code = code;
	}
}

/** Whether `error` is a ShoalError, and one with `code` if a code is given. */
export function isShoalError(error: unknown, code?: ErrorCode): error is ShoalError {
	return error instanceof ShoalError && (code === undefined || error.code === code);
}
