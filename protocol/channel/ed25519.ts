/** Bytes of an Ed25519 public key. */
export const KEY_BYTES = 32;
/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;

/** Whether `signature` is that of `text` by the private key that belongs to the public key `key`. */
export type Verify = (key: Uint8Array, signature: Uint8Array, text: Uint8Array) => boolean;

/** Signs `text`. @returns the 64 bytes of an Ed25519 signature */
export type Sign = (text: Uint8Array) => Uint8Array;

/** The part of `node:crypto` that is used here. */
interface NativeCrypto {
	createPublicKey(of: { key: Uint8Array; format: 'der'; type: 'spki' }): object;
	verify(algorithm: null, data: Uint8Array, key: object, signature: Uint8Array): boolean;
}

interface Process {
	getBuiltinModule?(name: string): NativeCrypto | undefined;
}

// `node:crypto` is not imported, because the modules of this folder run in browsers too.
const native = (globalThis as { process?: Process }).process?.getBuiltinModule?.('node:crypto');

/** The bytes before the key in the DER form of an Ed25519 public key (RFC 8410, 4). */
export const SPKI_HEAD: Uint8Array = Uint8Array.from([
	0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
]);

/** Most keys that are kept in the form that the library needs; more: all are forgotten. */
const MOST_KEYS = 64;
const keys = new Map<string, object>();

/** The key in the form that the library needs, which takes as long to make as to verify a signature. */
function keyObject(key: Uint8Array): object | undefined {
	const name = key.join();
	const known = keys.get(name);
	if (known !== undefined) {
		return known;
	}
	const der = new Uint8Array([...SPKI_HEAD, ...key]);
	const made = native?.createPublicKey({ key: der, format: 'der', type: 'spki' });
	if (made !== undefined) {
		if (keys.size >= MOST_KEYS) {
			keys.clear();
		}
		keys.set(name, made);
	}
	return made;
}

/** Verifies a signature with the library of Node.js. @throws Error in a browser */
export const verifyNatively: Verify = (key, signature, text) => {
	if (native === undefined) {
		throw new Error('this platform has no library of Node.js');
	}
	try {
		return native.verify(null, text, keyObject(key) as object, signature);
	} catch {
		return false;
	}
};
