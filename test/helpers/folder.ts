import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from './suite.ts';

/** A new folder that is removed when the test is over. */
export async function makeFolder(t: Scope): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
	t.defer(() => rm(folder, { recursive: true, force: true }));
	return folder;
}

/** The files below `folder` that this process has open; none where the system does not tell. */
export async function openBelow(folder: string): Promise<string[]> {
	const names = await readdir('/proc/self/fd').catch(() => []);
	const targets = names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => ''));
	return (await Promise.all(targets)).filter((target) => target.startsWith(folder));
}

/** Uses `folder` for temporary files until the test is over. */
export function useTemporary(t: Scope, folder: string): void {
	const before = process.env.TMPDIR;
	process.env.TMPDIR = folder;
	t.defer(() => {
		if (before === undefined) {
			delete process.env.TMPDIR;
		} else {
			process.env.TMPDIR = before;
		}
	});
}
