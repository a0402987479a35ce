import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

/** Rows of cells that are drawn above and below the visible ones. */
const BEYOND = 4;

/** The cells of a long grid that are in sight. */
export interface CellsInSight {
	/** The first cell to draw: the first one of its row. */
	readonly first: number;
	/** The number of cells to draw. */
	readonly count: number;
	/** Cells in a row. */
	readonly columns: number;
	/** px from one row to the next. */
	readonly row: number;
}

/**
 * Tells which cells of a grid to draw: those in sight, and some above and below. All cells have the
 * same height.
 *
 * @param total number of all cells
 */
export function useCellsInSight(
	grid: RefObject<HTMLUListElement | null>,
	total: number,
): CellsInSight {
	const [inSight, setInSight] = useState<CellsInSight>({
		first: 0,
		count: 100,
		columns: 1,
		row: 76,
	});
	useLayoutEffect(() => {
		const measure = (): void => {
			if (grid.current !== null) {
				const now = measured(grid.current, total);
				setInSight((before) => (isSame(before, now) ? before : now));
			}
		};
		measure();
		addEventListener('scroll', measure, { passive: true });
		addEventListener('resize', measure);
		return () => {
			removeEventListener('scroll', measure);
			removeEventListener('resize', measure);
		};
	}, [total]);
	return inSight;
}

function measured(grid: HTMLUListElement, total: number): CellsInSight {
	const { gridTemplateColumns, rowGap } = getComputedStyle(grid);
	const columns = Math.max(1, gridTemplateColumns.split(' ').length);
	const height = grid.querySelector('li')?.getBoundingClientRect().height ?? 70;
	const row = height + (Number.parseFloat(rowGap) || 0);
	const rows = Math.ceil(innerHeight / row) + 2 * BEYOND;
	const above = Math.floor(-grid.getBoundingClientRect().top / row) - BEYOND;
	// There may be fewer cells than before, and the page is not scrolled back yet.
	const last = Math.ceil(total / columns) - rows;
	const first = Math.max(0, Math.min(above, last)) * columns;
	return { first, count: rows * columns, columns, row };
}

function isSame(a: CellsInSight, b: CellsInSight): boolean {
	return a.first === b.first && a.count === b.count && a.columns === b.columns && a.row === b.row;
}
