import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

/** Rows that are drawn above and below the visible ones. */
const BEYOND = 10;

/** Measures of a list in its layout: px, and the font of names. */
export interface Measures {
	readonly row: number;
	readonly name: number;
	readonly font: string;
}

/** The rows of a long table that are in sight. */
export interface RowsInSight {
	/** The first row to draw. */
	readonly first: number;
	/** The number of rows to draw. */
	readonly count: number;
	readonly measures: Measures;
}

/**
 * Tells which rows of a table to draw: those in sight, and some above and below. All rows have the
 * same height.
 *
 * @param isFilled whether the table has rows: then their height is known
 */
export function useRowsInSight(
	table: RefObject<HTMLTableElement | null>,
	isFilled: boolean,
): RowsInSight {
	const [inSight, setInSight] = useState({ first: 0, count: 40 });
	const [measures, setMeasures] = useState<Measures>({ row: 48, name: 0, font: '' });
	useLayoutEffect(() => {
		const measure = (): void => {
			const now = measuresOf(table.current as HTMLTableElement);
			setMeasures((before) => (isSame(before, now) ? before : now));
			const top = table.current?.getBoundingClientRect().top ?? 0;
			const first = Math.max(0, Math.floor(-top / now.row) - BEYOND);
			const count = Math.ceil(innerHeight / now.row) + 2 * BEYOND;
			setInSight((before) => (isSame(before, { first, count }) ? before : { first, count }));
		};
		measure();
		addEventListener('scroll', measure, { passive: true });
		addEventListener('resize', measure);
		return () => {
			removeEventListener('scroll', measure);
			removeEventListener('resize', measure);
		};
	}, [isFilled]);
	return { ...inSight, measures };
}

/**
 * The space of rows that are not drawn. It has one cell without a `colspan`, which would also
 * count hidden columns.
 */
export function Spacer({ rows }: { rows: number }) {
	return rows === 0 ? null : (
		<tr class="spacer">
			<td style={{ height: `calc(${rows} * var(--row))` }} />
		</tr>
	);
}

function measuresOf(table: HTMLTableElement): Measures {
	const row = table.querySelector('tbody tr:not(.spacer)');
	const name = row?.querySelector('.name > :first-child');
	// The computed property `font` is empty if figures are tabular.
	const { fontWeight, fontSize, fontFamily } = getComputedStyle(name ?? table);
	return {
		row: row?.getBoundingClientRect().height ?? 48,
		name: name?.clientWidth ?? 0,
		font: `${fontWeight} ${fontSize} ${fontFamily}`,
	};
}

function isSame<T extends object>(a: T, b: T): boolean {
	return (Object.keys(a) as Array<keyof T>).every((key) => a[key] === b[key]);
}
