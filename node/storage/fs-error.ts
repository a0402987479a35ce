import { realpathSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { type ErrorCode, quoted, ShoalError } from '../../protocol/index.ts';

type Meaning = readonly [code: ErrorCode, sentence: string];

const MEANINGS: Readonly<Record<string, Meaning>> = {
	ENOENT: ['ERR_NO_FILE', 'there is no such file or folder; check the path'],
	ENOTDIR: ['ERR_NO_FILE', 'a part of the path is not a folder; check the path'],
	EEXIST: [
		'ERR_EXISTS',
		'there is a file of that name already; move it away or choose another name',
	],
	EISDIR: ['ERR_FOLDER', 'it is a folder; a file is expected'],
	EACCES: [
		'ERR_PERMISSION',
		'permission denied; choose a folder you may write to, or a file you may read',
	],
	EPERM: ['ERR_PERMISSION', 'the system does not permit it'],
	EROFS: ['ERR_PERMISSION', 'the file system is read-only; choose another folder'],
	EBUSY: [
		'ERR_PERMISSION',
		'another program uses it, or it is a mount point; end that program, or choose another path',
	],
	ELOOP: [
		'ERR_PERMISSION',
		'it is a symbolic link, which is not followed here, or the links in its path form a loop',
	],
	EFOREIGN: [
		'ERR_PERMISSION',
		'another program has put it in the place of a file or folder of this download, and it is not written to; remove it and start again',
	],
	ESHORT: ['ERR_CHANGED', 'it became shorter while it was read'],
	ECHANGED: ['ERR_CHANGED', 'it changed, or was moved or removed, while its folder was hashed'],
	EPADDING: [
		'ERR_SEED',
		'the seed is wrong: the bytes between the files of this folder must be zeros, and are not; ask for another seed',
	],
	ENOSPC: ['ERR_NO_SPACE', 'the disk is full; make room and start again'],
	EDQUOT: ['ERR_NO_SPACE', 'your quota is used up; make room and start again'],
	EFBIG: [
		'ERR_IO',
		'the file would be longer than this file system, or the limit of this process (ulimit -f), allows; choose another folder, or raise the limit, and start again',
	],
	EMFILE: [
		'ERR_IO',
		'this process has as many files and connections open as it may; raise the limit (ulimit -n) and start again',
	],
	ENFILE: ['ERR_IO', 'the system has as many files open as it can; end something and start again'],
	EIO: ['ERR_IO', 'the disk failed to read or write it; check the disk and start again'],
	EXDEV: [
		'ERR_IO',
		'the system cannot move it: it is from the image of a container (a lower layer of an overlay), or another file system is mounted there; choose a folder on a volume or disk of its own',
	],
	ESTALE: [
		'ERR_IO',
		'the server of this network file system has removed or replaced it; start again, and mount the file system again if that does not help',
	],
	ENAMETOOLONG: ['ERR_NAME', 'the name is too long for this file system; choose a shorter one'],
};

/**
 * The meaning of ENOENT if Node.js has put U+FFFD into the path, for bytes that it could not
 * decode.
 */
const NO_UTF_8: Meaning = [
	'ERR_NO_FILE',
	'there is no such file or folder; \ufffd stands for bytes that are no UTF-8, and Node.js cannot open such a name: rename the file, or make a link to it (ln -s) and give the path of the link',
];

/** The meaning of ENOENT if the working folder was removed. */
const NO_WORKING_FOLDER: Meaning = [
	'ERR_NO_FILE',
	'the working folder was removed; change to a folder that exists (cd) and start again',
];

/** The meaning of ENOENT if the path is empty, as when a variable of a script has no value. */
const EMPTY: Meaning = [
	'ERR_NO_FILE',
	'the path is empty; the path of a file or folder is expected',
];

/** The ShoalError for an error of the file system at `path`. */
export function fsError(error: unknown, path: string): ShoalError {
	if (error instanceof ShoalError) {
		return error;
	}
	const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
	// A thread has sent an error of ours, of which only code and message arrive.
	if (code.startsWith('ERR_SEED')) {
		return new ShoalError('ERR_SEED', message);
	}
	const [meaning, sentence] = (code === 'ENOENT' ? meaningOfMissing(error, path) : undefined) ??
		MEANINGS[code] ?? ['ERR_IO', message];
	return new ShoalError(meaning, `${quoted(path, 300)}: ${sentence}`, { cause: error });
}

/** The meaning of an ENOENT that has another reason than a wrong path. */
function meaningOfMissing(error: unknown, path: string): Meaning | undefined {
	if (path === '') {
		return EMPTY;
	}
	if (isOfWorkingFolder(error) || !(isAbsolute(path) || hasWorkingFolder())) {
		return NO_WORKING_FOLDER;
	}
	return path.includes('\ufffd') ? NO_UTF_8 : undefined;
}

/** Whether `error` says that the working folder was removed. */
export function isOfWorkingFolder(error: unknown): boolean {
	return (error as NodeJS.ErrnoException | undefined)?.syscall === 'uv_cwd';
}

/** Unlike `process.cwd()`, which answers from memory. */
function hasWorkingFolder(): boolean {
	try {
		realpathSync.native('.');
		return true;
	} catch {
		return false;
	}
}

/**
 * Runs `operation` on the file at `path`.
 *
 * @throws the error of `operation`, as the ShoalError of {@link fsError}
 */
export async function onFile<T>(path: string, operation: () => T | Promise<T>): Promise<T> {
	try {
		return await operation();
	} catch (error) {
		throw fsError(error, path);
	}
}

/**
 * Syncs a folder, so that the names of new files in it survive a loss of power.
 *
 * @throws ShoalError the errors of the file system
 */
export async function syncFolder(folder: string): Promise<void> {
	try {
		const handle = await open(folder, 'r');
		await handle.sync().finally(() => handle.close());
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		// Windows cannot open a folder as a file, and some file systems cannot sync one.
		if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(code ?? '')) {
			throw fsError(error, folder);
		}
	}
}
