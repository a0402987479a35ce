import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** The kind of digests in a seed. MD5 is for classic seeds only. */
export type DigestKind = 'sha256' | 'md5';

/** Bytes of a digest, by kind. */
export const DIGEST_BYTES: Readonly<Record<DigestKind, number>> = { sha256: 32, md5: 16 };

/** The digest of `bytes`, computed in plain JavaScript: for small inputs, and where nothing faster is available. */
export function digestOf(kind: DigestKind, bytes: Uint8Array): Uint8Array {
	return kind === 'md5' ? md5(bytes) : sha256(bytes);
}

/** Whether two digests are equal. */
export function sameDigest(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
