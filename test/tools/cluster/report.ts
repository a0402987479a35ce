import { formatBytes, formatTime } from '../../../node/cli/terminal/units.ts';
import type { Figure } from './scenario.ts';

/** The figures of one kind of cluster. */
export interface KindReport {
	readonly kind: string;
	readonly figures: readonly Figure[];
	/** Reasons why scenarios could not continue. */
	readonly failures: readonly string[];
}

/** Returns whether a figure is acceptable. */
export function isGood({ value, most }: Figure): boolean {
	return most === undefined || value <= most;
}

/** The figures as a table: a row for each figure, a column for each kind of cluster. */
export function tableOf(reports: readonly KindReport[]): string {
	const rows = new Map<string, Figure>();
	for (const figure of reports.flatMap(({ figures }) => figures)) {
		rows.set(keyOf(figure), rows.get(keyOf(figure)) ?? figure);
	}
	const header = ['scenario', 'figure', 'reach', ...reports.map(({ kind }) => kind)];
	const body = [...rows].map(([key, figure]) => [
		figure.scenario,
		figure.name,
		figure.most === undefined ? '' : `<= ${text(figure.most, figure)}`,
		...reports.map(({ figures }) => cell(figures.find((each) => keyOf(each) === key))),
	]);
	const widths = header.map((_, column) =>
		Math.max(...[header, ...body].map((row) => row[column]?.length ?? 0)),
	);
	return [header, ...body]
		.map((row) =>
			row
				.map((word, column) => word.padEnd(widths[column] ?? 0))
				.join('  ')
				.trimEnd(),
		)
		.join('\n');
}

function keyOf({ scenario, name }: Figure): string {
	return `${scenario} ${name}`;
}

function cell(figure: Figure | undefined): string {
	return figure === undefined
		? '-'
		: `${text(figure.value, figure)}${isGood(figure) ? '' : ' FAIL'}`;
}

/** A value with the unit of its figure. */
export function text(value: number, { unit }: Pick<Figure, 'unit'>): string {
	return unit === 'ms' ? formatTime(value) : unit === 'bytes' ? formatBytes(value) : String(value);
}
