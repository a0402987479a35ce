import { readFile } from 'node:fs/promises';
import {
	type Audience,
	checkGroup,
	MOST_GROUPS,
	quoted,
	ShoalError,
} from '../../../protocol/index.ts';
import { onFile } from '../../storage/fs-error.ts';

const UNITS: Readonly<Record<string, number>> = {
	s: 1_000,
	m: 60_000,
	h: 3_600_000,
	d: 86_400_000,
};
const MOST_DURATION = 3_650 * 86_400_000;

/** Parses the group and percentage of `--to`: `lab-2:25`. @throws ShoalError ERR_USAGE */
export function parseAudience(text: string): Audience {
	const [, group = '', digits = ''] = /^(.+):(\d{1,3})%?$/.exec(text) ?? [];
	if (digits === '' || Number(digits) > 100) {
		throw wrong('--to', 'GROUP:PERCENT, such as lab-2:25', text);
	}
	return { group: group === '*' ? group : checkGroup(group), percent: Number(digits) };
}

/** Parses the percentages of `--stages`, which must rise. @throws ShoalError ERR_USAGE */
export function parseStages(text: string): number[] {
	const percents = text.split(',').map((each) => {
		const [, digits] = /^(\d{1,3})%?$/.exec(each.trim()) ?? [];
		return Number(digits);
	});
	const isRising = percents.every((percent, at) => percent > (percents[at - 1] ?? 0));
	if (!isRising || percents.some((percent) => percent > 100)) {
		throw wrong('--stages', 'rising percentages up to 100, such as 5,25,100', text);
	}
	return percents;
}

/** Parses the percentage of `--stop-at`: `2%`. @throws ShoalError ERR_USAGE */
export function parsePercent(text: string, flag: string): number {
	const [, digits] = /^(\d{1,3}(?:\.\d+)?)%?$/.exec(text) ?? [];
	if (digits === undefined || Number(digits) > 100) {
		throw wrong(flag, 'a percentage, such as 2%', text);
	}
	return Number(digits);
}

/** Parses a duration: `90s`, `10m`, `12h`, `30d`. @returns ms. @throws ShoalError ERR_USAGE */
export function parseDuration(text: string, flag: string): number {
	const [, digits = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
	const ms = Number(digits) * (UNITS[unit] ?? Number.NaN);
	if (!(ms > 0 && ms <= MOST_DURATION)) {
		throw wrong(flag, 'a duration, such as 90s, 10m, 12h or 30d', text);
	}
	return ms;
}

/** Parses a whole number from `least` on. @throws ShoalError ERR_USAGE */
export function parseCount(text: string, flag: string, least: number): number {
	if (!/^\d{1,6}$/.test(text) || Number(text) < least) {
		throw wrong(flag, `a whole number from ${least} on`, text);
	}
	return Number(text);
}

/** Checks the groups of `--group`. @throws ShoalError ERR_USAGE */
export function parseGroups(groups: readonly string[] = []): readonly string[] {
	if (groups.length > MOST_GROUPS) {
		throw new ShoalError('ERR_USAGE', `--group can be used ${MOST_GROUPS} times at most`);
	}
	return groups.map(checkGroup);
}

/** The followers that are expected: a number of them, or their names and ids. */
export type Expected = { readonly count: number } | { readonly who: readonly string[] };

/**
 * Reads `--expect`: a number, or the path of a file with a name or id in each line. Empty lines and
 * lines that begin with `#` are ignored.
 *
 * @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO, ERR_USAGE if the file names nobody
 */
export async function readExpected(text: string): Promise<Expected> {
	if (/^\d{1,6}$/.test(text)) {
		return { count: parseCount(text, '--expect', 1) };
	}
	const lines = (await onFile(text, () => readFile(text, 'utf8'))).split(/\r?\n/);
	const who = lines.map((line) => line.trim()).filter((line) => line !== '' && line[0] !== '#');
	if (who.length === 0) {
		throw new ShoalError('ERR_USAGE', `--expect: the file ${quoted(text, 300)} names nobody`);
	}
	return { who: [...new Set(who)] };
}

function wrong(flag: string, expected: string, text: string): ShoalError {
	return new ShoalError('ERR_USAGE', `${flag} must be ${expected}, not ${quoted(text)}`);
}
