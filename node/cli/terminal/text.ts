import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** `text` in at most `width` columns of a terminal; a longer one is cut, and ends with `…`. */
export function fit(text: string, width: number): string {
	if (stringWidth(text) <= width) {
		return text;
	}
	const options = { hard: true, wordWrap: false, trim: false };
	const [cut = ''] = width < 2 ? [] : wrapAnsi(text, width - 1, options).split('\n');
	return `${cut}…`;
}

/** `text` in lines of at most `width` columns, broken between words; a longer word is not broken. */
export function wrap(text: string, width: number): string[] {
	return wrapAnsi(text, width).split('\n');
}
