/** Whether a topic matches a filter, both as their levels: MQTT 3.1.1, 4.7.1, for topics without `$`. */
export function isMatch(topic: readonly string[], filter: readonly string[]): boolean {
	const isDeep = filter.at(-1) === '#';
	const fixed = isDeep ? filter.slice(0, -1) : filter;
	const isLong = isDeep ? topic.length >= fixed.length : topic.length === fixed.length;
	return isLong && fixed.every((level, index) => level === '+' || level === topic[index]);
}
