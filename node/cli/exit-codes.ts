import { isShoalError } from '../../protocol/index.ts';

/** Exit codes. */
export const EXIT = {
	done: 0,
	failed: 1,
	usage: 2,
	nobody: 3,
	noBroker: 4,
	interrupted: 130,
} as const;

const BY_CODE: Readonly<Record<string, number>> = {
	ERR_ABORTED: EXIT.interrupted,
	ERR_BROKER: EXIT.noBroker,
	ERR_ID: EXIT.usage,
	ERR_LINK: EXIT.usage,
	ERR_NOT_FOUND: EXIT.nobody,
	ERR_USAGE: EXIT.usage,
};

/** The exit code for an error: the exit code that belongs to its error code, else 1. */
export function exitCodeOf(error: unknown): number {
	return (isShoalError(error) ? BY_CODE[error.code] : undefined) ?? EXIT.failed;
}
