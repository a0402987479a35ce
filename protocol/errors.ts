/**
 * Every code that an error of shoal can carry. Codes are stable: programs may test them, and the command line maps
 * them to exit codes. The message of an error may change, its code does not. docs/troubleshooting.md explains each
 * code.
 */
export type ErrorCode =
	| 'ERR_ABORTED'
	| 'ERR_AMBIGUOUS'
	| 'ERR_BROKER'
	| 'ERR_CHANGED'
	| 'ERR_CHANNEL'
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

/**
 * The error class of shoal: a stable `code`, a message for people, and the `cause` if there is one.
 */
export class ShoalError extends Error {
	/** The name of the class. @internal */
	override readonly name = 'ShoalError';
	/** The code, which programs may test. */
	readonly code: ErrorCode;

	/** An error with `code` and a message for people. */
	constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
		super(message, options);
		this.code = code;
	}
}

/** Whether `error` is a ShoalError, and, if `code` is given, whether it has that code. */
export function isShoalError(error: unknown, code?: ErrorCode): error is ShoalError {
	return error instanceof ShoalError && (code === undefined || error.code === code);
}
