/**
 * Sets `key` to `value`, as the newest entry of `map`. If the map then has more than `most` entries,
 * the oldest one is dropped.
 */
export function setNewest<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
	map.delete(key);
	map.set(key, value);
	if (map.size > most) {
		const [oldest] = map.keys();
		map.delete(oldest as K);
	}
}
