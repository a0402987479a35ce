import type { BigIntStats } from 'node:fs';

/** Number of fields of a stamp: device, inode, size, and mtime and ctime in ns. */
const FIELDS = 5;

/**
 * The stamps of the entries of a folder, by the number of the entry in the index. A stamp has the
 * fields of {@link stampOf}. All stamps are in one array, which takes little memory and can be sent
 * to a thread. An entry without a stamp is unknown.
 */
export class EntryStamps {
	readonly numbers: BigUint64Array;

	/**
	 * @param entries the number of entries, all unknown at first; or {@link numbers} of other
	 *   stamps
	 */
	constructor(entries: number | BigUint64Array) {
		this.numbers = typeof entries === 'number' ? new BigUint64Array(entries * FIELDS) : entries;
	}

	/** Number of entries. */
	get size(): number {
		return this.numbers.length / FIELDS;
	}

	/** Whether the stamp of an entry is known. */
	has(entry: number): boolean {
		return this.numbers[entry * FIELDS + 1] !== 0n;
	}

	set(entry: number, { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): void {
		this.numbers.set([dev, ino, size, mtimeNs, ctimeNs], entry * FIELDS);
	}

	/** Makes an entry unknown. */
	clear(entry: number): void {
		this.#of(entry).fill(0n);
	}

	/** The identity of the file of an entry: its device and inode. */
	identityOf(entry: number): string {
		return this.#of(entry).subarray(0, 2).join('-');
	}

	/** Gives entry `to` the stamp of entry `from` of `other`. */
	copy(to: number, other: EntryStamps, from: number): void {
		this.numbers.set(other.#of(from), to * FIELDS);
	}

	/** Whether an entry is known, and its stamp is that of `stats`. */
	isSame(entry: number, stats: BigIntStats | undefined): boolean {
		const at = entry * FIELDS;
		const { numbers } = this;
		return (
			stats !== undefined &&
			numbers[at] === BigInt.asUintN(64, stats.dev) &&
			numbers[at + 1] === BigInt.asUintN(64, stats.ino) &&
			numbers[at + 2] === BigInt.asUintN(64, stats.size) &&
			numbers[at + 3] === BigInt.asUintN(64, stats.mtimeNs) &&
			numbers[at + 4] === BigInt.asUintN(64, stats.ctimeNs)
		);
	}

	/**
	 * Whether an entry is known, and has the bytes of its stamp, although its inode may have
	 * changed: a rename gives it another ctime.
	 */
	hasSameBytes(entry: number, { dev, ino, size, mtimeNs }: BigIntStats): boolean {
		const expected = this.#of(entry).subarray(0, FIELDS - 1);
		const found = [dev, ino, size, mtimeNs].map((number) => BigInt.asUintN(64, number));
		return this.has(entry) && expected.every((number, at) => number === found[at]);
	}

	/** Whether an entry is known, and entry `from` of `other` has the same stamp. */
	matches(entry: number, other: EntryStamps, from: number): boolean {
		const theirs = other.#of(from);
		return this.has(entry) && this.#of(entry).every((number, at) => number === theirs[at]);
	}

	/** The time of the latest change of any entry, in ms since 1970; 0 if no entry is known. */
	get changedAt(): number {
		let latest = 0n;
		for (let at = 0; at < this.numbers.length; at += FIELDS) {
			for (const time of [this.numbers[at + 3], this.numbers[at + 4]] as bigint[]) {
				latest = time > latest ? time : latest;
			}
		}
		return Number(latest / 1_000_000n);
	}

	/**
	 * Whether the file system stores fractions of a second, so that changes differ in their times.
	 */
	get isFine(): boolean {
		for (let at = 0; at < this.numbers.length; at += FIELDS) {
			if ((this.numbers[at + 4] as bigint) % 1_000_000_000n !== 0n) {
				return true;
			}
		}
		return false;
	}

	#of(entry: number): BigUint64Array {
		return this.numbers.subarray(entry * FIELDS, (entry + 1) * FIELDS);
	}
}

/** Collects the stamps of any number of entries. */
export class StampList {
	#stamps = new EntryStamps(1_024);
	#count = 0;

	/** @returns the number of the stamp, from 0 on */
	add(stats: BigIntStats): number {
		if (this.#count === this.#stamps.size) {
			const larger = new EntryStamps(this.#count * 2);
			larger.numbers.set(this.#stamps.numbers);
			this.#stamps = larger;
		}
		this.#stamps.set(this.#count, stats);
		this.#count += 1;
		return this.#count - 1;
	}

	/** The stamps with these numbers, in this order. */
	take(numbers: readonly number[]): EntryStamps {
		const taken = new EntryStamps(numbers.length);
		for (const [entry, number] of numbers.entries()) {
			taken.copy(entry, this.#stamps, number);
		}
		return taken;
	}
}
