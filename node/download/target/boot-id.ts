import { readFile } from 'node:fs/promises';

/**
 * What is another after every start of the system, so that what was written before may not have reached
 * the disk. Undefined where the system does not tell: only Linux does.
 */
export async function bootId(): Promise<string | undefined> {
	const text = await readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => '');
	return /^[0-9a-f-]{36}$/.test(text.trim()) ? text.trim() : undefined;
}
