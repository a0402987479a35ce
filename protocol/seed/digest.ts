import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** The kind of digests in a seed. MD5 is for classic seeds only. */
export type DigestKind = 'sha256' | 'md5';

/** Bytes of a digest, by kind. */
export const DIGEST_BYTES: Readonly<Record<DigestKind, number>> = { sha256: 32, md5: 16 };

/** The part of `node:crypto` that is used here. */
interface NativeCrypto {
	createHash(kind: DigestKind): { update(bytes: Uint8Array): { digest(): Uint8Array } };
}

interface Process {
	getBuiltinModule?(name: string): NativeCrypto | undefined;
}

/** Undefined in a browser. It is not imported, because the modules of this folder run there too. */
const native = (globalThis as { process?: Process }).process?.getBuiltinModule?.('node:crypto');

/**
 * The digest of `bytes`. Node.js computes it natively; in a browser it is computed in plain
 * JavaScript, which is fast enough for small inputs only.
 */
export function digestOf(kind: DigestKind, bytes: Uint8Array): Uint8Array {
	if (native !== undefined) {
		return new Uint8Array(native.createHash(kind).update(bytes).digest());
	}
	return kind === 'md5' ? md5(bytes) : sha256(bytes);
}

/** Whether two digests are equal. */
export function sameDigest(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
