import { createHash } from 'node:crypto';

const known = new Map<number, Uint8Array>();

/** The SHA-256 of `length` zeros. */
export function zerosDigest(length: number): Uint8Array {
	const digest = known.get(length) ?? createHash('sha256').update(new Uint8Array(length)).digest();
	known.set(length, digest);
	return digest;
}
