import { printable } from '../../../protocol/index.ts';
import type { FolderState } from '../messages.ts';

/** A file, link or empty folder in the list of a folder. */
export interface FolderRow {
	/** Number of the entry in the folder. */
	readonly number: number;
	readonly path: string;
	/** The path for people. */
	readonly shown: string;
	readonly isFile: boolean;
	/** The kind of the entry; undefined for a file. */
	readonly kind: string | undefined;
	/** Bytes. */
	readonly length: number;
}

const KINDS = { f: undefined, x: undefined, d: 'empty folder', l: 'link' } as const;

/** The rows of a folder. */
export function rowsOf({
	paths,
	kinds,
	lengths,
}: Extract<FolderState, { state: 'open' }>): FolderRow[] {
	if (kinds.length === 0) {
		return [];
	}
	return paths.split('\n').map((path, number) => {
		const letter = kinds[number] ?? 'f';
		return {
			number,
			path,
			shown: printable(path),
			isFile: letter === 'f' || letter === 'x',
			kind: KINDS[letter],
			length: lengths[number] ?? 0,
		};
	});
}

/** The rows whose path contains `query`, in upper or lower case. */
export function rowsWith(rows: readonly FolderRow[], query: string): readonly FolderRow[] {
	const part = query.toLowerCase();
	return part === '' ? rows : rows.filter(({ path }) => path.toLowerCase().includes(part));
}

/** Bytes of these rows. */
export function bytesOf(rows: readonly FolderRow[]): number {
	return rows.reduce((sum, { length }) => sum + length, 0);
}
