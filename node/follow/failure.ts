import { ShoalError } from '../../protocol/index.ts';

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

/** The warning of keys or a document that could not be stored. A document is followed only when it is stored. */
export function unkeptDocument(cause: ShoalError): ShoalError {
	return new ShoalError(
		cause.code,
		`${withoutAdvice(cause)}, so the state of this follower is not stored; no newer version is taken until it is, which is tried again every 30 s while the follower runs`,
		{ cause },
	);
}

/** The warning of the outcome of a version that could not be stored. */
export function unkeptOutcome(cause: ShoalError): ShoalError {
	return new ShoalError(
		cause.code,
		`${withoutAdvice(cause)}, so it is not stored that the command of the version has ended; the next start of this follower may run it again`,
		{ cause },
	);
}

/**
 * The fault of a file, without the advice after it, such as to start again: the follower goes on.
 */
function withoutAdvice({ message }: ShoalError): string {
	return message.replace(/; [^"]*$/, '');
}
