/** The values of a list header: separated by commas, except inside quotes (RFC 9110, 5.6.1). */
function listOf(header: string): string[] {
	const parts = header.match(/(?:"[^"]*"|[^",])+/g) ?? [];
	return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/**
 * Whether an If-Match header names the strong `etag`. The comparison is strong: a weak tag in the
 * header never matches (RFC 9110, 13.1.1).
 */
export function matches(header: string, etag: string): boolean {
	return header.trim() === '*' || listOf(header).includes(etag);
}

/** Whether an If-None-Match header names `etag`, compared weakly (RFC 9110, 13.1.2). */
export function matchesWeakly(header: string, etag: string): boolean {
	const opaque = (tag: string): string => tag.replace(/^W\//, '');
	return header.trim() === '*' || listOf(header).some((tag) => opaque(tag) === opaque(etag));
}

/**
 * The content coding of `offered` that an Accept-Encoding header prefers (RFC 9110, 12.5.3). If the
 * header prefers several codings equally, the first of them in `offered`. Empty: the content is
 * sent without a coding.
 */
export function chooseEncoding(header: string | undefined, offered: readonly string[]): string {
	const weights = new Map<string, number>();
	for (const [coding, weight] of weightsOf(header)) {
		weights.set(coding.replace(/^x-/, ''), weight);
	}
	const weightOf = (coding: string): number => weights.get(coding) ?? weights.get('*') ?? 0;
	const least = weights.get('identity') ?? 0;
	let best = '';
	for (const coding of offered) {
		const weight = weightOf(coding);
		const isBetter = best === '' ? weight >= least : weight > weightOf(best);
		best = weight > 0 && isBetter ? coding : best;
	}
	return best;
}

/**
 * The media type of `offered` that an Accept header prefers (RFC 9110, 12.5.1). If the header prefers
 * several types equally, or none of them, the first of them in `offered`.
 */
export function chooseType<T extends string>(
	header: string | undefined,
	offered: readonly [T, ...T[]],
): T {
	const weights = new Map(weightsOf(header));
	const weightOf = (type: string): number => {
		const range = type.replace(/\/.*/, '/*');
		return weights.get(type) ?? weights.get(range) ?? weights.get('*/*') ?? 0;
	};
	return offered.reduce((best, type) => (weightOf(type) > weightOf(best) ? type : best));
}

/**
 * The values of a header that lists what a client accepts, in lower case and without their
 * parameters, each with its weight from 0 to 1. An unreadable weight counts as 0.
 */
function weightsOf(header: string | undefined): Array<[value: string, weight: number]> {
	return listOf(header ?? '').map((part) => {
		const [value = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
		const q = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '');
		const weight = q === undefined ? 1 : Number(q);
		return [value, Number.isNaN(weight) ? 0 : weight];
	});
}
