import { type Seed, ShoalError } from '../../protocol/index.ts';

/**
 * A range of bytes, as in `fs.createReadStream` and in HTTP: counted from 0, both ends inclusive. An `end` beyond the
 * last byte means the last byte.
 */
export interface RangeOptions {
	/** The first byte. A negative number counts from the end: -500 means the last 500 bytes. @default 0 */
	readonly start?: number | undefined;
	/** The last byte. @default the last byte of the content */
	readonly end?: number | undefined;
}

/** A range of bytes of a content. */
export interface ContentRange {
	/** The seed of the content. */
	readonly seed: Seed;
	/** The first byte. */
	readonly start: number;
	/** Number of bytes; 0 only if the content is empty. */
	readonly length: number;
}

/** Checks a range as far as that is possible without the seed. @throws ShoalError ERR_RANGE */
export function checkRange({ start = 0, end = Number.MAX_SAFE_INTEGER }: RangeOptions): void {
	const isNumbered = Number.isSafeInteger(start) && Number.isSafeInteger(end);
	if (!isNumbered || end < 0 || start > end) {
		throw new ShoalError(
			'ERR_RANGE',
			`${start} to ${end} is no range of bytes: the first and the last byte are expected, counted from 0`,
		);
	}
}

/**
 * The part of `seed` that the options name.
 *
 * @throws ShoalError ERR_RANGE if no byte of the content is in that part
 */
export function resolveRange(seed: Seed, { start = 0, end }: RangeOptions): ContentRange {
	const first = start < 0 ? Math.max(0, seed.length + start) : start;
	const after = Math.min(end === undefined ? seed.length : end + 1, seed.length);
	// The range of a whole empty content is valid, although it has no byte.
	if (first >= after && (first > 0 || seed.length > 0)) {
		throw new ShoalError(
			'ERR_RANGE',
			`there is no byte from ${first} to ${end ?? 'the end'}: the content has ${seed.length} bytes`,
		);
	}
	return { seed, start: first, length: after - first };
}

/** Whether `range` is all of the content. */
export function isWhole({ seed, length }: ContentRange): boolean {
	return length === seed.length;
}
