import { readFile } from 'node:fs/promises';

/**
 * An id that changes with every start of the system: writes before that start may not have reached
 * the disk. Undefined except on Linux, because other systems have no such id.
 */
export async function bootId(): Promise<string | undefined> {
	const text = await readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => '');
	return /^[0-9a-f-]{36}$/.test(text.trim()) ? text.trim() : undefined;
}
