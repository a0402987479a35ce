/**
 * Two of these paths, or of the folders they are in, that differ only in case; undefined if there
 * are none.
 */
export function sameButForCase(
	paths: readonly string[],
): readonly [one: string, other: string] | undefined {
	const seen = new Map<string, string>();
	for (const path of paths) {
		for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
			const each = path.slice(0, end);
			const other = seen.get(each.toLowerCase());
			if (other !== undefined) {
				if (other !== each) {
					return [other, each];
				}
				// The folders above are known as well.
				break;
			}
			seen.set(each.toLowerCase(), each);
		}
	}
	return undefined;
}
