/** The value of a metric in the text that Prometheus reads; NaN if it is not there. @param labels in any order */
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
