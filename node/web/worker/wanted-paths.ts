import type { Kept } from './kept-contents.ts';
import type { Item } from './own-transfers.ts';

// Which files of a folder are wanted: a set of their paths; undefined means all.

type Paths = ReadonlySet<string> | undefined;

/**
 * The paths that are wanted after the user has asked for `files`.
 *
 * @param files undefined: as before
 */
export function pathsOf(
	before: Pick<Item, 'paths' | 'transfer'> | undefined,
	files: 'all' | readonly string[] | undefined,
): Paths {
	if (files === undefined || files === 'all') {
		return files === 'all' ? undefined : before?.paths;
	}
	// The files of a download that was stopped are not wanted any more.
	const others = before?.transfer.state === 'stopped' ? [] : (before?.paths ?? []);
	return new Set([...others, ...files]);
}

/**
 * The paths that are wanted after another tab has released the folder; `kept` is what is stored
 * then.
 */
export function pathsAfter(
	{ paths, isAsked }: Pick<Item, 'paths' | 'isAsked'>,
	kept: Pick<Kept, 'paths'> | undefined,
): Paths {
	if (kept === undefined) {
		return paths;
	}
	const isAll = kept.paths === undefined || (isAsked && paths === undefined);
	return isAll ? undefined : new Set([...(paths ?? []), ...(kept.paths ?? [])]);
}

/** Whether paths are wanted now that were not wanted before. */
export function isMore(before: Paths, now: Paths): boolean {
	return before !== undefined && (now === undefined || now.size > before.size);
}
