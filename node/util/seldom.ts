/**
 * Whether something that is repeated less and less often is due at the `count`-th look: the first,
 * second, fourth, eighth … one, and later every `most`-th; never at 0.
 */
export function isDueAt(count: number, most: number): boolean {
	return count > 0 && (count % most === 0 || (count < most && Number.isInteger(Math.log2(count))));
}
