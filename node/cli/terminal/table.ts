import stringWidth from 'string-width';
import { fit } from './text.ts';

/** A column of a table. */
export interface Column {
	readonly title: string;
	readonly align?: 'left' | 'right';
	/** Maximum width, in columns of the terminal. */
	readonly most?: number | undefined;
}

/** The lines of a table with aligned columns, the titles first; the last column is not padded. */
export function table(
	columns: readonly Column[],
	rows: ReadonlyArray<readonly string[]>,
): string[] {
	const cells = [columns.map(({ title }) => title), ...rows].map((row) =>
		row.map((cell, index) => fit(cell, columns[index]?.most ?? Number.POSITIVE_INFINITY)),
	);
	const widths = columns.map((_, index) => widestOf(cells.map((row) => row[index] ?? '')));
	return cells.map((row) =>
		row
			.map((cell, index) => {
				const filler = ' '.repeat((widths[index] ?? 0) - stringWidth(cell));
				return columns[index]?.align === 'right' ? filler + cell : cell + filler;
			})
			.join('  ')
			.trimEnd(),
	);
}

/** Columns of the terminal that the widest of `texts` takes. There may be very many of them. */
export function widestOf(texts: readonly string[]): number {
	return texts.reduce((widest, text) => Math.max(widest, stringWidth(text)), 0);
}
