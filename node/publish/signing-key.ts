import {
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	type KeyObject,
	sign,
} from 'node:crypto';
import { type Sign, SPKI_HEAD } from '../../protocol/index.ts';

/** An Ed25519 key pair. */
export class SigningKey {
	/** The 32 bytes of the public key. */
	readonly public: Uint8Array;
	/** The private key as PEM (PKCS #8), which OpenSSL reads. */
	readonly pem: string;
	/** Signs with the private key. */
	readonly sign: Sign;

	private constructor(privateKey: KeyObject) {
		const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
		this.public = new Uint8Array(spki.subarray(SPKI_HEAD.length));
		this.pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
		this.sign = (text) => new Uint8Array(sign(null, text, privateKey));
	}

	/** A new random key pair. */
	static make(): SigningKey {
		return new SigningKey(generateKeyPairSync('ed25519').privateKey);
	}

	/** Reads a private key. @throws Error if `pem` is no Ed25519 private key */
	static parse(pem: string): SigningKey {
		const key = createPrivateKey(pem);
		if (key.asymmetricKeyType !== 'ed25519') {
			throw new Error('it is no Ed25519 key');
		}
		return new SigningKey(key);
	}
}

/** A raw public key as PEM (SubjectPublicKeyInfo), which OpenSSL reads. */
export function publicPem(key: Uint8Array): string {
	const der = Buffer.concat([SPKI_HEAD, key]);
	return createPublicKey({ key: der, format: 'der', type: 'spki' })
		.export({ format: 'pem', type: 'spki' })
		.toString();
}
