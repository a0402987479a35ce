import type { RangeOptions } from '../streaming/content-range.ts';

/**
 * The bytes that a Range header requests (RFC 9110, 14.1.2). Undefined if the header is to be
 * ignored: it is malformed, has another unit, or names several ranges, which a server may answer
 * with all of the content. A position that is too large for a number becomes the largest safe
 * integer, which is beyond the end of any content.
 */
export function parseHttpRange(header: string | undefined): RangeOptions | undefined {
	const [, first = '', last = ''] =
		/^bytes\s*=[\s,]*(\d*)-(\d*)[\s,]*$/i.exec(header?.trim() ?? '') ?? [];
	if (first === '' && last === '') {
		return undefined;
	}
	if (first === '') {
		const most = toSafe(last);
		return most > 0 ? { start: -most } : { start: Number.MAX_SAFE_INTEGER };
	}
	if (last !== '' && BigInt(first) > BigInt(last)) {
		return undefined;
	}
	const end = last === '' ? Number.MAX_SAFE_INTEGER : toSafe(last);
	return { start: toSafe(first), end: end === Number.MAX_SAFE_INTEGER ? undefined : end };
}

function toSafe(digits: string): number {
	return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
