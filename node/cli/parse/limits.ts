import { LIMIT_NAMES, type Limits, resolveLimits, ShoalError } from '../../../protocol/index.ts';

/** The limits of `--limit NAME=VALUE`. @throws ShoalError ERR_USAGE */
export function parseLimits(texts: readonly string[]): Partial<Limits> {
	const changes: Record<string, number> = {};
	for (const text of texts) {
		const [, name = '', value = ''] = /^([A-Za-z]+)=(\d+)$/.exec(text) ?? [];
		if (name === '') {
			throw new ShoalError(
				'ERR_USAGE',
				`--limit must be NAME=VALUE with a whole number, such as ${LIMIT_NAMES[0]}=65536, not "${text}"; see: shoal limits`,
			);
		}
		changes[name] = Number(value);
	}
	resolveLimits(changes);
	return changes;
}
