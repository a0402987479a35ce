import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { Seed } from '../../../protocol/index.ts';

/** Bytes that the name of a file beside another may have where that one is shorter: some file systems take no more than 143. */
const SURE_BYTES = 140;

/** The files of a download whose final path is `path`. */
export interface PartPaths {
	/** Where the finished file will be. */
	readonly path: string;
	readonly part: string;
	readonly journal: string;
	/** There while a download writes to `path`, of whichever seed. */
	readonly lock: string;
}

/** They are beside each other; part and journal are told from those of another seed of the same name by its id. */
export function partPathsOf(path: string, { id }: Seed): PartPaths {
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
 * `name` with `suffix`. It is cut if it would be longer than both `name`, a length that the file
 * system accepts, and `SURE_BYTES`, which every file system accepts. A cut name contains the digest
 * of `name`, because other names may begin in the same way.
 */
function besideName(name: string, suffix: string): string {
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
