import { mostMemory, mostMemoryInAll } from '../../../broker/index.ts';
import {
	FIXED_LIMITS,
	LIMIT_NAMES,
	LIMIT_TABLE,
	type Limits,
	resolveLimits,
} from '../../../protocol/index.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { parseLimits } from '../parse/limits.ts';
import type { Output } from '../terminal/output.ts';
import { type Column, table } from '../terminal/table.ts';
import { formatBytes, grouped } from '../terminal/units.ts';

/** Arguments and flags of `shoal limits`. */
export interface LimitsFlags {
	readonly limit?: readonly string[] | undefined;
}

/** `shoal limits`: prints the limits, and the most memory that a broker uses with them. */
export function limitsCommand(flags: LimitsFlags): Command {
	return async ({ output }) => {
		const limits = resolveLimits(parseLimits(flags.limit ?? []));
		printLimits(output, limits);
		printFixed(output);
		printMemory(output, limits);
		output.line();
		output.line('change one with: shoal broker --limit NAME=VALUE');
		return EXIT.done;
	};
}

function printLimits(output: Output, limits: Limits): void {
	const rows = LIMIT_NAMES.map((name) => {
		const { value, unit, about } = LIMIT_TABLE[name];
		output.event({ event: 'limit', name, value: limits[name], default: value, unit, about });
		return [name, grouped(limits[name]), unit, about];
	});
	show(output, [{ title: 'LIMIT' }, { title: 'VALUE', align: 'right' }], rows);
}

function printFixed(output: Output): void {
	const rows = FIXED_LIMITS.map(({ name, value, unit, about }) => {
		output.event({ event: 'fixed', name, value, unit, about });
		return [name, grouped(value), unit, about];
	});
	output.line();
	show(output, [{ title: 'OF THE PROTOCOL' }, { title: 'VALUE', align: 'right' }], rows);
}

function printMemory(output: Output, limits: Limits): void {
	const rows = mostMemory(limits).map(({ what, most, how }) => {
		output.event({ event: 'memory', what, most, how });
		return [what, formatBytes(most), how];
	});
	const all = mostMemoryInAll(limits);
	output.event({ event: 'memory-in-all', most: all });
	output.line();
	const columns: Column[] = [
		{ title: 'MEMORY OF A BROKER, AT MOST' },
		{ title: 'BYTES', align: 'right' },
		{ title: 'FOLLOWS FROM' },
	];
	const lines = table(columns, [
		...rows,
		['in all', formatBytes(all), 'if all are reached at once'],
	]);
	printTable(output, lines);
}

function show(output: Output, first: readonly Column[], rows: string[][]): void {
	printTable(output, table([...first, { title: 'UNIT' }, { title: 'WHAT IT BOUNDS' }], rows));
}

function printTable(output: Output, [titles = '', ...lines]: readonly string[]): void {
	output.line(output.style('dim', titles));
	for (const line of lines) {
		output.line(line);
	}
}
