/**
 * Returns the value of a metric in the Prometheus text format; NaN if it is missing.
 *
 * @param labels in any order
 */
export function metric(
	text: string,
	name: string,
	labels: Readonly<Record<string, string>> = {},
): number {
	const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
	const line = text.split('\n').find((each) => {
		const [, own, inner = ''] = /^([a-z_0-9]+)(?:\{(.*)\})? /.exec(each) ?? [];
		return own === name && wanted.every((pair) => inner.split(',').includes(pair));
	});
	return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ') + 1));
}
