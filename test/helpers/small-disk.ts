import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder } from './folder.ts';
import type { Scope } from './suite.ts';

const run = promisify(execFile);

/** Whether this process may mount a disk. */
export const canMount: boolean = process.platform === 'linux' && process.getuid?.() === 0;

/** A disk of so many MiB, in memory, until the test is over. */
export async function smallDisk(t: Scope, mebibytes: number): Promise<string> {
	const disk = join(await makeFolder(t), 'disk');
	await mkdir(disk);
	await run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', disk]);
	t.defer(() => run('umount', ['-l', disk]));
	return disk;
}
