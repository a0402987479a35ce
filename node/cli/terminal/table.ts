// What terminals draw two columns wide: East Asian wide and full-width characters, and emoji.
const WIDE =
	/[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const NO_WIDTH = /^[\p{Mn}\p{Me}]+$/u;
let segmenter: Intl.Segmenter | undefined;

/** What a reader takes for one character each. Making a segmenter takes 10 ms, and not every command needs one. */
function graphemes(text: string): Intl.Segments {
	segmenter ??= new Intl.Segmenter();
	return segmenter.segment(text);
}

/** How many columns `text` takes on a terminal; it has no escape sequences. */
export function widthOf(text: string): number {
	let width = 0;
	for (const { segment } of graphemes(text)) {
		width += NO_WIDTH.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1;
	}
	return width;
}

/** `text` in at most `width` columns; what does not fit is cut, and shown to be. */
export function fit(text: string, width: number): string {
	if (widthOf(text) <= width) {
		return text;
	}
	let cut = '';
	for (const { segment } of graphemes(text)) {
		if (widthOf(cut + segment) > width - 1) {
			break;
		}
		cut += segment;
	}
	return `${cut}…`;
}

/** How a column of a table stands. */
export interface Column {
	readonly title: string;
	readonly align?: 'left' | 'right';
	/** Columns of the terminal it takes at most. */
	readonly most?: number | undefined;
}

/** The lines of a table with aligned columns, the titles first; the last column is not filled up. */
export function table(
	columns: readonly Column[],
	rows: ReadonlyArray<readonly string[]>,
): string[] {
	const cells = [columns.map(({ title }) => title), ...rows].map((row) =>
		row.map((cell, index) => fit(cell, columns[index]?.most ?? Number.POSITIVE_INFINITY)),
	);
	const widths = columns.map((_, index) =>
		Math.max(...cells.map((row) => widthOf(row[index] ?? ''))),
	);
	return cells.map((row) =>
		row
			.map((cell, index) => {
				const filler = ' '.repeat((widths[index] ?? 0) - widthOf(cell));
				return columns[index]?.align === 'right' ? filler + cell : cell + filler;
			})
			.join('  ')
			.trimEnd(),
	);
}
