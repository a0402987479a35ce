import { isShoalError, ShoalError } from '../../protocol/index.ts';
import { withoutKept } from '../storage/fs-error.ts';

/** The form of a code in a receipt. */
const CODE = /^[A-Z0-9_]{1,32}$/;

/** The failure of the command that runs after a version was applied. */
export class CommandFailure extends Error {
	/** `EXIT_<code>`, `TIMEOUT`, or the name of a signal. */
	readonly code: string;

	/** A failure with `code` and a message for people. */
	constructor(code: string, message: string) {
		super(message);
		this.code = code;
	}
}

/** The code of an error, for a receipt. */
export function codeOf(error: unknown): string {
	const { code } = error as { code?: unknown };
	return typeof code === 'string' && CODE.test(code) ? code : 'ERR_INTERNAL';
}

/** The warning of two documents with the number `seq`, which both have a valid signature. */
export function twoPublishers(seq: number): ShoalError {
	return new ShoalError(
		'ERR_CHANNEL',
		`two publishers have signed different documents with the number ${seq}: is the publishing key in use twice?`,
	);
}

/** The warning of a state that could not be stored. A document is followed only when it is stored. */
export function unkept(cause: unknown): ShoalError {
	const { message } = cause as Error;
	const reason = isShoalError(cause) ? withoutKept(cause).message : message;
	return new ShoalError(
		isShoalError(cause) ? cause.code : 'ERR_IO',
		`the state of this follower cannot be stored, and it takes no newer version before that: ${reason}`,
		{ cause },
	);
}
