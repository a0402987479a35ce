import { type BigIntStats, constants } from 'node:fs';
import { access, lstat, open, stat, statfs } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { MAX_LENGTH, printable, quoted, ShoalError } from '../../protocol/index.ts';
import { onFile } from './fs-error.ts';

/** To open a file to be read. A pipe that nobody writes to opens at once, and gives no bytes; Windows has no such flag. */
export const READ_ONLY = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * File systems of Linux that make up the content of a file when it is read (linux/magic.h): proc, sysfs, debugfs,
 * tracefs, securityfs, configfs, cgroup and cgroup2, bpf, binfmt_misc, efivarfs, selinuxfs, pstore.
 */
const VIRTUAL = new Set([
	0x9fa0, 0x6265_6572, 0x6462_6720, 0x7472_6163, 0x7363_6673, 0x6265_6570, 0x27_e0eb, 0x6367_7270,
	0xcafe_4a11, 0x4249_4e4d, 0xde5e_81e4, 0xf97c_ff8c, 0x6165_676c,
]);

/**
 * The absolute path of what a caller named.
 *
 * @throws ShoalError ERR_NO_FILE if it is empty, which would be the working folder
 */
export function absolutePath(path: string): string {
	if (path === '') {
		throw new ShoalError('ERR_NO_FILE', 'the path of a file is expected, and it is empty');
	}
	return resolve(path);
}

/**
 * The stats of the file at `path`, which may be a symbolic link to it. Its size is how many bytes can
 * be read, again and again and from any position: a folder, a pipe, a socket, a device, and a file whose content
 * is made up when it is read, as those of /proc and /sys are, have no such size. None of them is waited for.
 *
 * @throws ShoalError ERR_FOLDER, ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_LIMIT if it is longer than a seed can say
 */
export async function statRegular(path: string): Promise<BigIntStats> {
	const found = await onFile(path, () => stat(path, { bigint: true })).catch(async (error) => {
		throw (await isDangling(path))
			? new ShoalError('ERR_NO_FILE', `${quoted(path, 300)} is a link, and leads to no file`)
			: error;
	});
	if (found.isDirectory()) {
		throw new ShoalError('ERR_FOLDER', `${quoted(path, 300)} is a folder, a file is expected`);
	}
	if (!found.isFile()) {
		throw notRegular(path, found);
	}
	// A file without blocks on the disk is empty, sparse, or made up by the system.
	if (found.blocks === 0n && (await isVirtual(path, found))) {
		throw notRegular(path, found);
	}
	if (found.size > BigInt(MAX_LENGTH)) {
		throw new ShoalError(
			'ERR_LIMIT',
			`${quoted(path, 300)} has ${found.size} bytes, and the longest file a seed can describe ${MAX_LENGTH}; split it`,
		);
	}
	return found;
}

/** As {@link statRegular}, and the file may be read. @throws ShoalError as that */
export async function statReadable(path: string): Promise<BigIntStats> {
	const found = await statRegular(path);
	await onFile(path, () => access(path, constants.R_OK));
	return found;
}

async function isDangling(path: string): Promise<boolean> {
	return await lstat(path).then(
		(found) => found.isSymbolicLink(),
		() => false,
	);
}

/** That `path` has no bytes that could be read by position, and what to do about it. */
function notRegular(path: string, found: BigIntStats): ShoalError {
	const copy = `cat ${printable(path)} > ${printable(basename(resolve(path)))}.copy`;
	const next = found.isSocket() ? '' : `; save what it gives in a file, and name that: ${copy}`;
	return new ShoalError(
		'ERR_IO',
		`${quoted(path, 300)} is no ordinary file: ${whyNot(found)}${next}`,
	);
}

function whyNot(found: BigIntStats): string {
	if (found.isFile()) {
		return 'the system makes up its content when it is read';
	}
	if (found.isFIFO()) {
		return 'it is a pipe';
	}
	return found.isSocket() ? 'it is a socket' : 'it is a device';
}

async function isVirtual(path: string, { size }: BigIntStats): Promise<boolean> {
	const { type } = await onFile(path, () => statfs(path));
	// Of Linux, where `type` is a signed number on 32 bits.
	return VIRTUAL.has(type >>> 0) || (size === 0n && (await givesBytes(path)));
}

/** Whether a file that is said to be empty is not: so are those of some file systems in user space. */
async function givesBytes(path: string): Promise<boolean> {
	const file = await onFile(path, () => open(path, READ_ONLY));
	try {
		const { bytesRead } = await onFile(path, () => file.read(Buffer.alloc(1), 0, 1, 0));
		return bytesRead > 0;
	} finally {
		await file.close();
	}
}
