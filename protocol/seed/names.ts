import { ShoalError } from '../errors.ts';
import { quoted } from '../printable.ts';

/** Most bytes of a file name in UTF-8: the limit of common file systems. */
export const MAX_NAME_BYTES = 255;

const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *([.:]|$)/i;
const encoder = new TextEncoder();

const RULES: ReadonlyArray<readonly [why: string, isBad: (name: string) => boolean]> = [
	['it is empty', (name) => name === ''],
	// The length is checked early, first in characters, then in bytes, so that the rules below cost
	// little.
	[
		`it has more than ${MAX_NAME_BYTES} bytes`,
		(name) => name.length > MAX_NAME_BYTES || encoder.encode(name).length > MAX_NAME_BYTES,
	],
	['it is no well-formed text', (name) => /\p{Cs}/u.test(name)],
	['it holds a control character', (name) => /\p{Cc}/u.test(name)],
	['it holds a path separator', (name) => /[/\\]/.test(name)],
	['it starts with the letter of a drive', (name) => /^[a-z]:/i.test(name)],
	['it names a folder', (name) => name === '.' || name === '..'],
	['it ends with a dot or a space', (name) => /[. ]$/.test(name)],
	['Windows reserves it', (name) => RESERVED.test(name)],
];

/**
 * Returns `name` if it is safe as a file name: one path segment without control characters, which
 * every system takes for the name of a file, and not, for example, for a device. Spaces, quotes,
 * colons after more than one letter and all other characters of Unicode are allowed. A file system
 * that cannot store such a name refuses it when the file is written ({@link unstorableOnWindows}).
 *
 * @param what what has the name, for the message. @default a file
 * @throws ShoalError ERR_NAME, with a message that names the broken rule
 */
export function checkName(name: string, what: 'file' | 'channel' = 'file'): string {
	for (const [why, isBad] of RULES) {
		if (isBad(name)) {
			throw new ShoalError('ERR_NAME', `${quoted(name)} cannot be the name of a ${what}: ${why}`);
		}
	}
	return name;
}

/**
 * The characters of `name`, each once, that Windows does not allow in file names; other systems do.
 */
export function unstorableOnWindows(name: string): string[] {
	return [...new Set(name.match(/[<>:"|?*]/g))];
}

// A leading dot hides a file, or makes it a configuration file of some program. Format characters
// are invisible or change the direction of reading, except the joiners, which some scripts need.
// The line and paragraph separators are replaced as well, and letters that are shown as nothing.
const MISLEADING =
	/^\.|(?![\u200c\u200d])\p{Cf}|[\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|\u034f|\u17b4|\u17b5/gu;

/**
 * A safe form of a file name that another node chose: one path segment in NFC, in which a leading dot and characters
 * that are invisible or change the direction of reading are replaced by `_`.
 *
 * @throws ShoalError ERR_NAME as {@link checkName}
 */
export function safeFileName(name: string): string {
	return checkName(checkName(name).normalize('NFC').replace(MISLEADING, '_'));
}
