import { ShoalError } from '../errors.ts';
import { quoted } from '../printable.ts';

/**
 * Reads the SHA-256 fingerprint of a certificate, with or without colons. @returns 64 lower-case hex digits
 *
 * @throws ShoalError ERR_USAGE
 */
export function parseFingerprint(text: string): string {
	const digits = text.replaceAll(':', '').toLowerCase();
	if (!/^[0-9a-f]{64}$/.test(digits)) {
		throw new ShoalError(
			'ERR_USAGE',
			`${quoted(text)} is no fingerprint of a certificate: its SHA-256 is expected, 64 hex digits`,
		);
	}
	return digits;
}
