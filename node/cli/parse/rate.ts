import { ShoalError } from '../../../protocol/index.ts';

const UNITS: Readonly<Record<string, number>> = {
	'': 1,
	b: 1,
	kb: 1e3,
	mb: 1e6,
	gb: 1e9,
	kib: 1024,
	mib: 1024 ** 2,
	gib: 1024 ** 3,
};

/**
 * Parses a rate, in bytes per second: `20MB` is 20,000,000, `20MiB` is 20,971,520; without a unit,
 * the number is in bytes.
 *
 * @param option the name of the option, for the error
 * @throws ShoalError ERR_USAGE
 */
export function parseRate(text: string, option: string): number {
	const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim()) ?? [];
	const factor = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()] : undefined;
	const rate = Math.round(Number.parseFloat(digits) * (factor ?? Number.NaN));
	if (!Number.isSafeInteger(rate) || rate < 1) {
		throw new ShoalError(
			'ERR_USAGE',
			`${option} must be bytes per second above 0, such as 500kB, 20MB or 20MiB, not "${text}"`,
		);
	}
	return rate;
}
