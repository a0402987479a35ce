import { isShoalError } from '../../protocol/index.ts';

/** Codes of errors that say that the system lacks open files or memory, whatever the file is. */
const PASSING: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Whether `error` says that the disk failed to read or write a part of a file. */
export function isDiskError(error: unknown): boolean {
	return causeOf(error) === 'EIO';
}

/** Whether `error` says nothing about the file, and the same call may succeed a moment later. */
export function isPassing(error: unknown): boolean {
	return PASSING.has(causeOf(error));
}

/** The code of the system, if `error` is an ERR_IO with such a code. */
function causeOf(error: unknown): unknown {
	const { cause } = error as { cause?: { code?: unknown } };
	return isShoalError(error, 'ERR_IO') ? cause?.code : undefined;
}
