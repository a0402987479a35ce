import { comparePaths, type FolderEntry } from '../../../protocol/index.ts';

// The decisions of a switch from one version to the next, without any access to the disk.

/** One step of a switch. The steps are done in order, and each can be repeated. */
export type Step =
	/** Removes a file or link of the older version that the next one does not have. */
	| {
			readonly do: 'remove';
			readonly path: string;
			/** Whether the next version has a folder at this path. */
			readonly becomesFolder: boolean;
	  }
	/** Removes a folder of the older version that the next one does not have, if it is empty. */
	| { readonly do: 'remove-folder'; readonly path: string }
	/** Makes a folder of the next version. */
	| { readonly do: 'folder'; readonly path: string }
	/** Puts a file or link of the next version, whose number in the index is `entry`. */
	| { readonly do: 'put'; readonly path: string; readonly entry: number };

/**
 * The state of a path:
 *
 * - `nothing`: nothing, or the path leads through a link or a file;
 * - `folder`: a folder;
 * - `older`: the file or link that the older version put there, unchanged;
 * - `next`: the file or link of the next version;
 * - `other`: something that people put there or changed.
 */
export type Found = 'nothing' | 'folder' | 'older' | 'next' | 'other';

/**
 * The action for a step:
 *
 * - `none`: nothing, the step is done;
 * - `remove`: remove the file or link; for the step `folder`, before it is decided again;
 * - `remove-folder`: remove the folder if it is empty;
 * - `make`: make the folder;
 * - `put`: rename the staged entry to the path, which replaces a file that is there;
 * - `set-aside`: rename what is there, and then decide again;
 * - `keep`: leave what people changed, and report it.
 */
export type Action = 'none' | 'remove' | 'remove-folder' | 'make' | 'put' | 'set-aside' | 'keep';

type Entry = Pick<FolderEntry, 'path' | 'kind'>;

/**
 * The steps of a switch.
 *
 * @param older the entries of the version that is there, in the order of the index
 * @param next the entries of the next version, in the order of the index
 */
export function stepsOf(older: readonly Entry[], next: readonly Entry[]): Step[] {
	const leaves = new Set(next.filter(isLeaf).map(({ path }) => path));
	const folders = foldersOf(next);
	return [
		...removals(older, leaves, folders),
		...[...folders].sort(comparePaths).map((path): Step => ({ do: 'folder', path })),
		...next.flatMap((entry, number): Step[] =>
			isLeaf(entry) ? [{ do: 'put', path: entry.path, entry: number }] : [],
		),
	];
}

/** Removes what is below a folder before the folder itself. */
function removals(
	older: readonly Entry[],
	leaves: ReadonlySet<string>,
	folders: ReadonlySet<string>,
): Step[] {
	const files = older
		.filter((entry) => isLeaf(entry) && !leaves.has(entry.path))
		.map(({ path }): Step => ({ do: 'remove', path, becomesFolder: folders.has(path) }));
	const gone = [...foldersOf(older)]
		.filter((path) => !folders.has(path))
		.map((path): Step => ({ do: 'remove-folder', path }));
	return [...files, ...gone].sort((a, b) => comparePaths(b.path, a.path));
}

/**
 * Decides the action for a step.
 *
 * @param found what is at the path of the step
 * @param isStaged for the step `put`: whether the entry is in the staging folder. If it is not, an
 *   earlier run of the switch has put it, or the followed folder had it already
 */
export function actionOf(step: Step, found: Found, isStaged = false): Action {
	switch (step.do) {
		case 'remove':
			return whenRemoved(found, step.becomesFolder);
		case 'remove-folder':
			return found === 'folder' ? 'remove-folder' : 'none';
		case 'folder':
			return whenFolder(found);
		case 'put':
			return isStaged ? whenStaged(found) : whenPut(found);
	}
}

function whenRemoved(found: Found, becomesFolder: boolean): Action {
	if (found === 'older') {
		return 'remove';
	}
	// The step that makes the folder sets aside whatever is in its way.
	return found === 'nothing' || becomesFolder ? 'none' : 'keep';
}

function whenFolder(found: Found): Action {
	switch (found) {
		case 'nothing':
			return 'make';
		case 'folder':
			return 'none';
		case 'older':
			return 'remove';
		default:
			return 'set-aside';
	}
}

function whenStaged(found: Found): Action {
	switch (found) {
		case 'nothing':
		case 'older':
			return 'put';
		case 'next':
			return 'none';
		default:
			return 'set-aside';
	}
}

/** A file that was changed after it was put is kept: the change was made to the next version. */
function whenPut(found: Found): Action {
	return found === 'nothing' || found === 'next' ? 'none' : 'keep';
}

/**
 * The paths that are reported as kept: those that were set aside, and changed ones, except what was
 * in a folder that was set aside later.
 *
 * @param aside the path and the new path of what was set aside
 */
export function keptPaths(
	changed: Iterable<string>,
	aside: ReadonlyArray<readonly [path: string, name: string]>,
): string[] {
	const kept = new Set(aside.map(([, name]) => name));
	for (const path of changed) {
		if (!aside.some(([folder]) => path === folder || path.startsWith(`${folder}/`))) {
			kept.add(path);
		}
	}
	return [...kept].sort(comparePaths);
}

/** The folders of a version: the empty ones, and those that contain entries. */
function foldersOf(entries: readonly Entry[]): Set<string> {
	const folders = new Set<string>();
	for (const { path, kind } of entries) {
		if (kind === 'd') {
			folders.add(path);
		}
		for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
			const folder = path.slice(0, end);
			if (folders.has(folder)) {
				break;
			}
			folders.add(folder);
		}
	}
	return folders;
}

function isLeaf({ kind }: Entry): boolean {
	return kind !== 'd';
}
