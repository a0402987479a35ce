import { basename, dirname, join } from 'node:path';
import type { Seed } from '../../../protocol/index.ts';

const NAME_BYTES = 255;

/** The files of a download whose final path is `path`. */
export interface PartPaths {
	/** Where the finished file will be. */
	readonly path: string;
	readonly part: string;
	readonly journal: string;
}

/** They are beside each other, told from those of another seed of the same name by its id. */
export function partPathsOf(path: string, { id }: Seed): PartPaths {
	const beside = (suffix: string): string => {
		return join(dirname(path), besideName(basename(path), `.${id.slice(0, 8)}.${suffix}`));
	};
	return { path, part: beside('part'), journal: beside('journal') };
}

function besideName(name: string, suffix: string): string {
	let start = name;
	while (Buffer.byteLength(start) + suffix.length > NAME_BYTES) {
		start = [...start].slice(0, -1).join('');
	}
	return start + suffix;
}
