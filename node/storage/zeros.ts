/** A stretch of bytes: from `start` to before `end`. */
export interface Stretch {
	readonly start: number;
	readonly end: number;
	readonly isZero: boolean;
}

/** Bytes that are compared in one step: a smaller hole is not worth a separate write. */
const STEP = 64 * 1024;
const ZEROS = Buffer.alloc(STEP);

/**
 * Whether all of `bytes` are zero. Stops at the first step in which a byte is not zero, so that the
 * check costs almost nothing for most contents.
 */
export function isZero(bytes: Uint8Array): boolean {
	for (let at = 0; at < bytes.length; at += STEP) {
		// In most contents, the first byte already shows that they are not zeros.
		if (bytes[at] !== 0) {
			return false;
		}
		const step = bytes.subarray(at, at + STEP);
		if (Buffer.compare(step, ZEROS.subarray(0, step.length)) !== 0) {
			return false;
		}
	}
	return true;
}

/**
 * Splits `bytes` where zeros begin and end, in steps of 64 KiB. The stretches follow each other and
 * cover all of `bytes`.
 */
export function zeroStretches(bytes: Uint8Array): Stretch[] {
	const stretches: Array<Stretch & { end: number }> = [];
	for (let start = 0; start < bytes.length; start += STEP) {
		const end = Math.min(start + STEP, bytes.length);
		const zero = isZero(bytes.subarray(start, end));
		const last = stretches.at(-1);
		if (last?.isZero === zero) {
			last.end = end;
		} else {
			stretches.push({ start, end, isZero: zero });
		}
	}
	return stretches;
}
