import { writeSync } from 'node:fs';
import { stretch } from './segments.ts';
import { PIECE, WriteSize } from './write-size.ts';

/** Writes with synchronous calls, as large as is fastest. */
export class TimedWrites {
	readonly #size = new WriteSize();

	/**
	 * Writes all of `bytes` from position `start` of a file on.
	 *
	 * @throws errors of the file system
	 */
	write(fd: number, start: number, bytes: readonly Uint8Array[]): void {
		let at = start;
		for (let left = bytes; left.length > 0; ) {
			const count = PIECE - (at % PIECE);
			const piece = stretch(left, 0, count);
			left = stretch(left, count, Number.POSITIVE_INFINITY);
			const begun = performance.now();
			const end = write(fd, at, piece, this.#size.bytes);
			if (end - at === PIECE) {
				this.#size.onPiece(performance.now() - begun);
			}
			at = end;
		}
	}
}

/**
 * Writes all of `bytes` from position `start` on.
 *
 * @param most maximum bytes of a system call, which also ends at each multiple of this
 * @returns the position after the last byte
 */
export function write(
	fd: number,
	start: number,
	bytes: readonly Uint8Array[],
	most: number,
): number {
	let at = start;
	for (const segment of bytes) {
		for (let done = 0; done < segment.length; ) {
			const count = Math.min(segment.length - done, most - (at % most));
			const written = writeSync(fd, segment, done, count, at);
			done += written;
			at += written;
		}
	}
	return at;
}
