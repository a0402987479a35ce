/**
 * Ids in order, for pages. They are stored in blocks, so that an insertion or a removal moves only
 * the ids of one block: in a single array, each of them would move half of a million ids.
 */
export class SortedIds {
	/** Not empty, each in order and before the next one. */
	readonly #blocks: string[][] = [];
	readonly #most: number;
	#size = 0;

	/** @param most ids in a block; a block with more is divided into two */
	constructor(most = 1_024) {
		this.#most = most;
	}

	/** Number of ids. */
	get size(): number {
		return this.#size;
	}

	/** Adds `id` unless it is present already. */
	add(id: string): void {
		const place = this.#blockOf(id);
		const block = this.#blocks[place];
		if (block === undefined) {
			this.#blocks.push([id]);
			this.#size += 1;
			return;
		}
		const index = indexAfter(block, id);
		if (block[index - 1] === id) {
			return;
		}
		block.splice(index, 0, id);
		this.#size += 1;
		if (block.length > this.#most) {
			this.#blocks.splice(place + 1, 0, block.splice(this.#most / 2));
		}
	}

	/** Removes `id` if it is present. */
	delete(id: string): void {
		const place = this.#blockOf(id);
		const block = this.#blocks[place];
		const index = block === undefined ? -1 : indexAfter(block, id) - 1;
		if (block?.[index] !== id) {
			return;
		}
		block.splice(index, 1);
		this.#size -= 1;
		if (block.length === 0) {
			this.#blocks.splice(place, 1);
		}
	}

	/**
	 * At most `most` ids that sort after `after`, which need not be present; without `after`, the
	 * first ids.
	 */
	after(after: string | undefined, most: number): string[] {
		let place = after === undefined ? 0 : this.#blockOf(after);
		const block = this.#blocks[place];
		const start = after === undefined || block === undefined ? 0 : indexAfter(block, after);
		const ids = block?.slice(start, start + most) ?? [];
		for (place += 1; ids.length < most && place < this.#blocks.length; place += 1) {
			ids.push(...(this.#blocks[place] as string[]).slice(0, most - ids.length));
		}
		return ids;
	}

	/** Index of the block in which `id` is, or in which it is to be inserted. */
	#blockOf(id: string): number {
		let low = 0;
		let high = this.#blocks.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (((this.#blocks[middle] as string[])[0] as string) <= id) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}
		return Math.max(0, low - 1);
	}
}

/** Index of the first of the sorted `ids` that is greater than `id`. */
function indexAfter(ids: readonly string[], id: string): number {
	let low = 0;
	let high = ids.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((ids[middle] as string) <= id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}
