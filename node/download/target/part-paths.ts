import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { Seed } from '../../../protocol/index.ts';

/** Bytes that every file system accepts in a file name; for some the limit is 143. */
const SURE_BYTES = 140;

/** The files of a download whose final path is `path`. */
export interface PartPaths {
	/** Where the finished file will be. */
	readonly path: string;
	readonly part: string;
	readonly journal: string;
	/** Exists while a download of any seed writes to `path`. */
	readonly lock: string;
}

/**
 * The paths of the files of a download, all in one folder. The names of the part file and the
 * journal contain the start of the seed id, because another seed may have the same file name.
 */
export function partPathsOf(path: string, { id }: Pick<Seed, 'id'>): PartPaths {
	const beside = (suffix: string): string =>
		join(dirname(path), besideName(basename(path), suffix));
	const start = id.slice(0, 8);
	return {
		path,
		part: beside(`.${start}.part`),
		journal: beside(`.${start}.journal`),
		lock: beside('.shoal-lock'),
	};
}

/**
 * The paths of a download to `path` if `name` is that of its part file or folder; else undefined.
 */
export function pathsOfPart(path: string, name: string): PartPaths | undefined {
	const [, id] = /\.([0-9a-f]{8})\.part$/.exec(name) ?? [];
	const paths = id === undefined ? undefined : partPathsOf(path, { id });
	return paths?.part === join(dirname(path), name) ? paths : undefined;
}

/**
 * `name` with `suffix`. The file system accepts names as long as `name`, and names of `SURE_BYTES`
 * bytes. A result that would be longer than both is cut, and contains the start of the digest of
 * `name`, because other names may begin in the same way.
 */
export function besideName(name: string, suffix: string): string {
	const most = Math.max(Buffer.byteLength(name), SURE_BYTES);
	if (Buffer.byteLength(name) + suffix.length <= most) {
		return name + suffix;
	}
	const rest = `~${createHash('sha256').update(name).digest('hex').slice(0, 8)}${suffix}`;
	let start = name;
	while (Buffer.byteLength(start) + rest.length > most) {
		start = [...start].slice(0, -1).join('');
	}
	return start + rest;
}
