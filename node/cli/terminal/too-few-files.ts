import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** The most files and connections that this process may open; undefined except on Linux. */
export function mostOpenFiles(): number | undefined {
	try {
		const limits = readFileSync('/proc/self/limits', 'latin1');
		const [, soft = ''] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
		return soft === '' ? undefined : Number(soft);
	} catch {
		return undefined;
	}
}

/** The message for an error that means too many open files; undefined for other errors. */
export function tooFewFiles(error: unknown): string | undefined {
	const { code, errno = 0 } = (error ?? {}) as NodeJS.ErrnoException;
	// Some functions of Node.js report the error by its number only.
	if (code !== 'EMFILE' && Math.abs(errno) !== constants.errno.EMFILE) {
		return undefined;
	}
	return 'this process has as many files and connections open as it may; raise the limit and start again: ulimit -n 1024';
}

/**
 * Prints the error and sets the exit code, if `error` means that this process may open too few
 * files.
 *
 * @returns whether `error` means that
 */
export function tellTooFewFiles(error: unknown): boolean {
	const message = tooFewFiles(error);
	if (message === undefined) {
		return false;
	}
	const code = 'ERR_IO';
	const isJson = process.argv.includes('--json');
	process.exitCode = 1;
	if (isJson) {
		process.stdout.write(`${JSON.stringify({ event: 'error', code, message })}\n`);
	} else {
		process.stderr.write(`shoal: ${message} (${code})\n`);
	}
	return true;
}
