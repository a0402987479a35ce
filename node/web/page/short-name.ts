/** A name, shortened to fit into some lines. */
export interface ShortName {
	readonly text: string;
	/**
	 * Whether its lines have to be broken within words: otherwise the lines are not filled, and the
	 * end of the name is not visible.
	 */
	readonly isDense: boolean;
}

/**
 * Fractions of the lines that a text certainly fills: if the lines are broken between words, and if
 * they are broken within words.
 */
const BETWEEN_WORDS = 0.8;
const WITHIN_WORDS = 0.95;
const LONG_WORD = /\S{20}/u;

const segmenter = new Intl.Segmenter();
let context: CanvasRenderingContext2D | null | undefined;

/**
 * A name that fits into some lines. The middle of a longer name is left out, as names of many files
 * often differ only at the end.
 *
 * @param width px of a line; 0 if it is not known yet
 * @param font as in a style sheet
 */
export function shortName(name: string, width: number, lines: number, font: string): ShortName {
	const whole = { text: name, isDense: LONG_WORD.test(name) };
	context ??= document.createElement('canvas').getContext('2d');
	if (context === null || width === 0) {
		return whole;
	}
	context.font = font;
	const isWithin = (text: string, part: number): boolean =>
		(context as CanvasRenderingContext2D).measureText(text).width <= width * lines * part;
	if (isWithin(name, whole.isDense ? WITHIN_WORDS : BETWEEN_WORDS)) {
		return whole;
	}
	const letters = Array.from(segmenter.segment(name), ({ segment }) => segment);
	const cut = (kept: number): string =>
		`${letters.slice(0, Math.ceil(kept / 2)).join('')}…${letters.slice(-Math.floor(kept / 2)).join('')}`;
	let least = 2;
	let most = Math.max(least, letters.length - 1);
	while (least < most) {
		const kept = Math.ceil((least + most) / 2);
		if (isWithin(cut(kept), WITHIN_WORDS)) {
			least = kept;
		} else {
			most = kept - 1;
		}
	}
	return { text: letters.length > least ? cut(least) : name, isDense: true };
}
