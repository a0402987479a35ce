import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Tree } from '../helpers/fixtures/tree.ts';

/** Runs a program. @throws Error if it fails */
export const run: (program: string, args: readonly string[]) => Promise<unknown> =
	promisify(execFile);

/** Files of all sizes: more than one chunk, none, and one that begins at the start of a chunk. */
export function someTree(): Tree {
	return {
		'read me.txt': 'hello',
		'empty.txt': '',
		'nothing here/': '',
		'photos/one.jpg': randomBytes(300_000),
		'photos/deep/er/two.jpg': randomBytes(1_000),
		'photos/\u00e9t\u00e9 \u5206\u6563 \ud83d\udce6.jpg': randomBytes(70_000),
		'video.mp4': randomBytes(17_000_000),
	};
}

/** Returns `digests` with `top` before each path. */
export function below(top: string, digests: Record<string, string>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(digests).map(([path, digest]) => [`${top}/${path}`, digest]),
	);
}
