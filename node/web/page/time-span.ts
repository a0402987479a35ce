/** Seconds that a curve shows, at most and at least. */
const SPAN = 300;
const LEAST_SPAN = 60;

/**
 * The times at both ends of a curve, in seconds since 1970: the last minutes until the last sample.
 *
 * @param first time of the first sample; null if there is none
 * @param last time of the last sample
 * @param now the end if there is no sample
 */
export function timeSpan(
	first: number | null,
	last: number | null,
	now: number,
): [start: number, end: number] {
	const end = last ?? now;
	return [Math.min(end - LEAST_SPAN, Math.max(first ?? end, end - SPAN)), end];
}
