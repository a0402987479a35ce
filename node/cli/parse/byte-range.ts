import { quoted, ShoalError } from '../../../protocol/index.ts';
import type { RangeOptions } from '../../streaming/content-range.ts';

/**
 * Parses a range as HTTP and curl write it: `0-499` is the first 500 bytes, `500-` all from byte
 * 500 on, `-500` the last 500.
 *
 * @throws ShoalError ERR_USAGE
 */
export function parseByteRange(text: string): RangeOptions {
	const [, first, last] = /^(\d{0,16})-(\d{0,16})$/.exec(text) ?? [];
	const start = first ? Number(first) : undefined;
	const end = last ? Number(last) : undefined;
	const isLast = start === undefined && end !== undefined && end > 0;
	if (!isLast && (start === undefined || start > (end ?? start))) {
		throw new ShoalError(
			'ERR_USAGE',
			`--range ${quoted(text)} is no range; bytes are counted from 0: 0-499, 500- or -500`,
		);
	}
	return isLast ? { start: -end } : { start, end };
}
