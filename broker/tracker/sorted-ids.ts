/**
 * Ids in order, for pages. An insertion moves at most the references behind it, which for a hundred
 * thousand takes less than sorting them again by a factor of a thousand.
 */
export class SortedIds {
	readonly #ids: string[] = [];

	/** How many there are. */
	get size(): number {
		return this.#ids.length;
	}

	/** Adds `id` unless it is there. */
	add(id: string): void {
		const index = this.#indexAfter(id);
		if (this.#ids[index - 1] !== id) {
			this.#ids.splice(index, 0, id);
		}
	}

	/** Removes `id` if it is there. */
	delete(id: string): void {
		const index = this.#indexAfter(id) - 1;
		if (this.#ids[index] === id) {
			this.#ids.splice(index, 1);
		}
	}

	/** At most `most` ids that come after `after`, which need not be among them; from the first without it. */
	after(after: string | undefined, most: number): string[] {
		const start = after === undefined ? 0 : this.#indexAfter(after);
		return this.#ids.slice(start, start + most);
	}

	/** Index of the first id that is greater than `id`. */
	#indexAfter(id: string): number {
		let low = 0;
		let high = this.#ids.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#ids[middle] as string) <= id) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}
		return low;
	}
}
