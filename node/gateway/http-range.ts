import type { RangeOptions } from '../streaming/content-range.ts';

/**
 * The bytes that a Range header asks for (RFC 9110, 14.1.2). Undefined where it is to be ignored: it is malformed,
 * of another unit, or names several ranges, of which all of the content is as good an answer. A position beyond what
 * a number holds is beyond the end of any content.
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
