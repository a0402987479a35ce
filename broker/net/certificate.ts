import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ShoalError } from '../../protocol/index.ts';

/** A certificate and its private key. */
export interface KeyPair {
	/** The certificate, PEM. */
	readonly cert: string;
	/** The private key, PEM. */
	readonly key: string;
}

// X.690: the tags used here.
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const VERSION = 0xa0;
// RFC 5758, 3.2: ecdsa-with-SHA256. X.520: the common name.
const ECDSA_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
// RFC 5280, 4.1.2.5: no expiry date, as clients check the fingerprint instead.
const NO_END = '99991231235959Z';

/** Makes a key on the curve P-256 and a self-signed certificate (RFC 5280), which is identified by its fingerprint. */
export function makeCertificate(): KeyPair {
	const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const algorithm = der(SEQUENCE, ECDSA_SHA256);
	const name = der(
		SEQUENCE,
		der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from('shoal')))),
	);
	const serial = randomBytes(16);
	// A serial number must be positive, and must not begin with a redundant byte.
	serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
	const content = der(
		SEQUENCE,
		der(VERSION, der(INTEGER, Buffer.from([2]))),
		der(INTEGER, serial),
		algorithm,
		name,
		der(SEQUENCE, time('20200101000000Z'), time(NO_END)),
		name,
		publicKey.export({ type: 'spki', format: 'der' }),
	);
	const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', content, privateKey));
	const cert = der(SEQUENCE, content, algorithm, signature).toString('base64');
	const lines = cert.match(/.{1,64}/g) ?? [];
	return {
		cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
		key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
	};
}

/** The SHA-256 fingerprint of a certificate in PEM: 64 hex digits. */
export function fingerprintOf(cert: string): string {
	return new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
}

/**
 * The TLS context of a server.
 *
 * @throws ShoalError ERR_USAGE if `cert` and `key` do not belong together, or are not PEM
 */
export function secureContext({ cert, key }: KeyPair): SecureContext {
	try {
		return createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
	} catch (cause) {
		throw new ShoalError(
			'ERR_USAGE',
			`the certificate and its key cannot be used: ${(cause as Error).message}. Both must be PEM, and belong together`,
			{ cause },
		);
	}
}

function time(text: string): Buffer {
	// RFC 5280, 4.1.2.5: years before 2050 have two digits.
	return text.startsWith('20')
		? der(0x17, Buffer.from(text.slice(2)))
		: der(GENERALIZED_TIME, Buffer.from(text));
}

/** One value in DER (X.690). */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
	const content = Buffer.concat(parts);
	const { length } = content;
	const size =
		length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
	return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
