import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { d, type Tree } from '../helpers/fixtures/trees.ts';

/** Runs a program. @throws Error if it fails */
export const run: (program: string, args: readonly string[]) => Promise<unknown> =
	promisify(execFile);

/** Files of all sizes: more than one chunk, none, and one that begins at the start of a chunk. */
export function someTree(): Tree {
	return {
		'read me.txt': 'hello',
		'empty.txt': '',
		'nothing here': d,
		'photos/one.jpg': randomBytes(300_000),
		'photos/deep/er/two.jpg': randomBytes(1_000),
		'photos/\u00e9t\u00e9 \u5206\u6563 \ud83d\udce6.jpg': randomBytes(70_000),
		'video.mp4': randomBytes(17_000_000),
	};
}

/**
 * Returns the SHA-256 of each file below `root`, and `empty` for each empty folder, sorted by path.
 */
export async function digestsOf(root: string): Promise<Record<string, string>> {
	const digests = new Map<string, string>();
	const visit = async (below: string): Promise<void> => {
		const entries = await readdir(join(root, below), { withFileTypes: true });
		if (entries.length === 0 && below !== '') {
			digests.set(below, 'empty');
		}
		for (const entry of entries) {
			const path = below === '' ? entry.name : `${below}/${entry.name}`;
			if (entry.isDirectory()) {
				await visit(path);
			} else {
				const bytes = await readFile(join(root, path));
				digests.set(path, createHash('sha256').update(bytes).digest('hex'));
			}
		}
	};
	await visit('');
	return Object.fromEntries([...digests].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Returns `digests` with `top` before each path. */
export function below(top: string, digests: Record<string, string>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(digests).map(([path, digest]) => [`${top}/${path}`, digest]),
	);
}
