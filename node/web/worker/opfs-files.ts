import { ShoalError } from '../../../protocol/index.ts';
import { formatBytes } from '../../util/size.ts';
import { ELSEWHERE } from './content-locks.ts';

/** A file that is open for synchronous reading and writing; in workers only. */
export interface SyncAccessHandle {
	read(into: Uint8Array, at: { at: number }): number;
	write(bytes: Uint8Array, at: { at: number }): number;
	truncate(size: number): void;
	getSize(): number;
	flush(): void;
	close(): void;
}

const FOLDER = 'shoal';

/**
 * Whether this page may store files. It may if it was loaded over TLS or from this machine; but
 * some browsers do not allow it in a private window.
 */
export async function hasFiles(): Promise<boolean> {
	// Only workers can read and write files synchronously.
	const canOpen = isSecureContext && 'createSyncAccessHandle' in FileSystemFileHandle.prototype;
	mayKeep ??= canOpen ? openFolder().then(isThere, isNot) : Promise.resolve(false);
	return await mayKeep;
}

let mayKeep: Promise<boolean> | undefined;
const isThere = (): boolean => true;
const isNot = (): boolean => false;

/** The folder of the origin in which all files of shoal are. */
export async function openFolder(): Promise<FileSystemDirectoryHandle> {
	const root = await navigator.storage.getDirectory();
	return await root.getDirectoryHandle(FOLDER, { create: true });
}

/** Opens a file of the folder. In workers only. @throws ShoalError ERR_EXISTS if another tab has it open, ERR_IO */
export async function openSync(handle: FileSystemFileHandle): Promise<SyncAccessHandle> {
	try {
		const open = handle as unknown as { createSyncAccessHandle(): Promise<SyncAccessHandle> };
		return await open.createSyncAccessHandle();
	} catch (error) {
		throw ioError(error);
	}
}

/**
 * The bytes of a file in the folder; undefined if there is no such file.
 *
 * @throws ShoalError ERR_IO
 */
export async function readAll(name: string): Promise<Uint8Array | undefined> {
	try {
		const handle = await (await openFolder()).getFileHandle(name);
		return new Uint8Array(await (await handle.getFile()).arrayBuffer());
	} catch (error) {
		if ((error as DOMException).name === 'NotFoundError') {
			return undefined;
		}
		throw ioError(error);
	}
}

/** Checks that the browser has room for `length` more bytes. @throws ShoalError ERR_NO_SPACE */
export async function checkRoom(length: number): Promise<void> {
	const { quota = Number.POSITIVE_INFINITY, usage = 0 } = await navigator.storage.estimate();
	if (length > quota - usage) {
		throw new ShoalError(
			'ERR_NO_SPACE',
			`the browser has room for ${formatBytes(Math.max(0, quota - usage))}, ${formatBytes(length)} are needed; remove finished downloads, or use shoal get`,
		);
	}
}

/** The error for a failed call of the browser: ERR_EXISTS, ERR_NO_SPACE or ERR_IO. */
export function ioError(error: unknown): ShoalError {
	if (error instanceof ShoalError) {
		return error;
	}
	const { name, message } = error as DOMException;
	switch (name) {
		case 'NoModificationAllowedError':
			return new ShoalError('ERR_EXISTS', ELSEWHERE);
		case 'QuotaExceededError':
			return new ShoalError(
				'ERR_NO_SPACE',
				'the browser has no room left: remove finished downloads',
			);
		default:
			return new ShoalError('ERR_IO', `the browser cannot keep the file: ${message}`, {
				cause: error,
			});
	}
}
