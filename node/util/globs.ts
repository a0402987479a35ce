import picomatch from 'picomatch';

/**
 * Characters that picomatch would take for those of a regular expression, and escaped characters.
 */
const LITERAL = /\\.|[()|"+]/g;

/**
 * Tells whether a path below a folder matches one of `globs`, or is in a folder that does. A glob
 * without a slash matches the name of an entry anywhere in the folder. Only `*`, `?`, `[…]` and `{…}`
 * are special.
 */
export function globMatcher(globs: readonly string[]): (path: string) => boolean {
	const patterns = globs.map((glob) => {
		const trimmed = glob
			.normalize('NFC')
			.replace(/^\.?\/+/, '')
			.replace(/\/+$/, '');
		const bare = trimmed.replace(LITERAL, (found) => (found.length > 1 ? found : `\\${found}`));
		return bare.includes('/') ? bare : `{,**/}${bare}`;
	});
	return picomatch(
		patterns.flatMap((pattern) => [pattern, `${pattern}/**`]),
		{ dot: true, nonegate: true, noextglob: true },
	);
}

/**
 * Tells whether a path matches a glob of `only`, if there are any, and none of `exclude`. Undefined
 * if there are no globs at all: then all paths are selected.
 */
export function selectionOf(
	only: readonly string[] = [],
	exclude: readonly string[] = [],
): ((path: string) => boolean) | undefined {
	if (only.length === 0 && exclude.length === 0) {
		return undefined;
	}
	const isNamed = only.length > 0 ? globMatcher(only) : (): boolean => true;
	const isExcluded = globMatcher(exclude);
	return (path) => isNamed(path) && !isExcluded(path);
}
