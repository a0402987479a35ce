import type { RangeOptions } from '../streaming/content-range.ts';

/**
 * The bytes that a Range header asks for (RFC 9110, 14.2). Undefined where it is to be ignored: it is malformed,
 * of another unit, or names several ranges, of which all of the content is as good an answer.
 */
export function parseHttpRange(header: string | undefined): RangeOptions | undefined {
	const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
	if (first === '' && last === '') {
		return undefined;
	}
	if (first === '') {
		return Number(last) > 0 ? { start: -Number(last) } : { start: Number.MAX_SAFE_INTEGER };
	}
	const [start, end] = [Number(first), last === '' ? undefined : Number(last)];
	const isOrdered = end === undefined || start <= end;
	return isOrdered && Number.isSafeInteger(start) ? { start, end } : undefined;
}

/** Whether an If-Match or If-None-Match header (RFC 9110, 13.1) names `etag`, which is a strong one. */
export function namesTag(header: string, etag: string): boolean {
	return (
		header.trim() === '*' ||
		header.split(',').some((each) => each.trim().replace(/^W\//, '') === etag)
	);
}
