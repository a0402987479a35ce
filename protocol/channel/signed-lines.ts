import { ShoalError } from '../errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The lines of a text of at most `most` bytes: UTF-8, each line ended by a line feed.
 *
 * @param what the kind of the text, for the error
 * @throws ShoalError ERR_CHANNEL
 */
export function linesOf(what: string, bytes: Uint8Array, most: number): string[] {
	if (bytes.length > most) {
		throw malformed(what, `it has ${bytes.length} bytes, of ${most} at most`);
	}
	let text: string;
	try {
		text = decoder.decode(bytes);
	} catch (cause) {
		throw malformed(what, 'it is not UTF-8', cause);
	}
	if (!text.endsWith('\n')) {
		throw malformed(what, 'its last line has no line feed');
	}
	return text.slice(0, -1).split('\n');
}

/** The `size` bytes of a line `<label> <base64>`. @throws ShoalError ERR_CHANNEL */
export function bytesOfLine(
	what: string,
	line: string | undefined,
	label: string,
	size: number,
): Uint8Array {
	const text = line?.startsWith(`${label} `) ? line.slice(label.length + 1) : '';
	const bytes = fromBase64(text);
	if (bytes?.length !== size || toBase64(bytes) !== text) {
		throw malformed(what, `a line "${label}" with ${size} bytes in base64 is expected`);
	}
	return bytes;
}

/** Base64 with padding (RFC 4648, 4). */
export function toBase64(bytes: Uint8Array): string {
	return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array | undefined {
	try {
		return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
	} catch {
		return undefined;
	}
}

/** The error of a malformed text. */
export function malformed(what: string, why: string, cause?: unknown): ShoalError {
	return new ShoalError('ERR_CHANNEL', `this is no ${what}: ${why}`, { cause });
}
