import type { BigIntStats } from 'node:fs';

/**
 * What the system says of a file, in one line: device, inode, size, and in ns when its bytes and when
 * it was changed last. As long as it is the same, so are the bytes; putting the time of the bytes back
 * is a change of the file.
 */
export function fileStamp({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
	return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
