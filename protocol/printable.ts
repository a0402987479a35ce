import { hideCredentials } from './printable-url.ts';

// Cc: C0, DEL, C1. Cf: zero width, bidirectional controls, tags. Lone surrogates. Line and paragraph
// separators. Letters and marks that are shown as nothing: the fillers of Hangul, and others.
const UNPRINTABLE =
	/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|\u034f|\u17b4|\u17b5/gu;

/**
 * `text` in a form that is safe on a terminal and in a log: characters that move the cursor,
 * reverse the reading order or are invisible are shown as `\u{…}`. Names from other nodes are
 * passed through this function before they are shown.
 */
export function printable(text: string): string {
	return text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/**
 * `text` made printable, without the credentials of URLs, cut to `most` characters and put in quotes, for error
 * messages.
 */
export function quoted(text: string, most = 80): string {
	const shown = hideCredentials(text);
	const cut = shown.length > most ? `${shown.slice(0, most)}…` : shown;
	return `"${printable(cut)}"`;
}

/** `value` as JSON that is safe on a terminal and in a log: the same value, with unprintable characters escaped. */
export function printableJson(value: unknown): string {
	return escapeJson(JSON.stringify(value));
}

/**
 * `json`, a JSON text, with unprintable characters escaped, so that it is safe on a terminal and in
 * a log.
 */
export function escapeJson(json: string): string {
	return json.replace(UNPRINTABLE, (character) =>
		Array.from(
			{ length: character.length },
			(_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
		).join(''),
	);
}
