/** The values of a list header: separated by commas, except inside quotes (RFC 9110, 5.6.1). */
function listOf(header: string): string[] {
	const parts = header.match(/(?:"[^"]*"|[^",])+/g) ?? [];
	return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/**
 * Whether an If-Match header names the strong `etag`: compared strongly, a weak one in the header never does
 * (RFC 9110, 13.1.1).
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
 * Which of `offered` content codings an Accept-Encoding header likes best (RFC 9110, 12.5.3); among equals the first
 * one. Empty: none of them, as it is.
 */
export function chooseEncoding(header: string | undefined, offered: readonly string[]): string {
	const weights = new Map<string, number>();
	for (const part of listOf(header ?? '')) {
		const [coding = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
		const q = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '');
		const weight = q === undefined ? 1 : Number(q);
		weights.set(coding.replace(/^x-/, ''), Number.isNaN(weight) ? 0 : weight);
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
