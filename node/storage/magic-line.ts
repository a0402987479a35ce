import { createHash } from 'node:crypto';

/**
 * The first line of a stored record, without the line feed: `magic`, which names the format, and the
 * SHA-256 of `rest`, all that follows the line. A record whose first line differs is damaged.
 */
export function magicLine(magic: string, ...rest: readonly Uint8Array[]): string {
	const hash = createHash('sha256');
	for (const part of rest) {
		hash.update(part);
	}
	return `${magic} ${hash.digest('hex')}`;
}
