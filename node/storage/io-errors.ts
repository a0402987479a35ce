import { isShoalError, ShoalError } from '../../protocol/index.ts';

/** Codes of errors that say that the system lacks open files or memory, whatever the file is. */
const PASSING: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

const KEPT = ', what is verified is kept';
/** The end of the message about an error of the system, if a download has failed with it. */
const OF_DOWNLOADS: Readonly<Record<string, string>> = {
	EDQUOT: KEPT,
	EEXIST: ' with -o',
	EFBIG: KEPT,
	EIO: KEPT,
	EMFILE: KEPT,
	ENAMETOOLONG: ' with -o',
	ENFILE: KEPT,
	ENOSPC: KEPT,
};

/** Whether `error` says that the disk failed to read or write a part of a file. */
export function isDiskError(error: unknown): boolean {
	return causeOf(error) === 'EIO';
}

/** Whether `error` says nothing about the file, and the same call may succeed a moment later. */
export function isPassing(error: unknown): boolean {
	return PASSING.has(causeOf(error));
}

/** The error of a download that keeps what it has verified, and has failed with `error`. */
export function ofDownload(error: unknown): unknown {
	if (!isShoalError(error)) {
		return error;
	}
	const { code, message, cause } = error;
	const end = OF_DOWNLOADS[String((cause as { code?: unknown } | undefined)?.code)];
	return end === undefined ? error : new ShoalError(code, `${message}${end}`, { cause });
}

/** The code of the system, if `error` is an ERR_IO with such a code. */
function causeOf(error: unknown): unknown {
	const { cause } = error as { cause?: { code?: unknown } };
	return isShoalError(error, 'ERR_IO') ? cause?.code : undefined;
}
