/**
 * Whether a topic matches a filter (MQTT 3.1.1, 4.7.1). Both are split into levels. The topic must
 * not begin with `$`.
 */
export function isMatch(topic: readonly string[], filter: readonly string[]): boolean {
	const isDeep = filter.at(-1) === '#';
	const fixed = isDeep ? filter.slice(0, -1) : filter;
	const isLong = isDeep ? topic.length >= fixed.length : topic.length === fixed.length;
	return isLong && fixed.every((level, index) => level === '+' || level === topic[index]);
}
