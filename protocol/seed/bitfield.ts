import { ShoalError } from '../errors.ts';

/** Number of buckets of the map in an announce. */
export const BUCKETS = 64;

/**
 * A set of chunks, one bit each. As bytes: chunk 0 is the highest bit of byte 0, as in BEP 3, and
 * the spare bits at the end are zero.
 */
export class Bitfield {
	/** Number of bits. */
	readonly size: number;
	readonly #bytes: Uint8Array;
	#count = 0;

	/** A bit field of `size` bits, none of them set. */
	constructor(size: number) {
		this.size = size;
		this.#bytes = new Uint8Array(Math.ceil(size / 8));
	}

	/** A bit field of `size` bits, all of them set. */
	static full(size: number): Bitfield {
		const field = new Bitfield(size);
		field.setRange(0, size);
		return field;
	}

	/** Number of bits that are set. */
	get count(): number {
		return this.#count;
	}

	/** Whether every bit is set. */
	get isFull(): boolean {
		return this.#count === this.size;
	}

	/** Whether bit `index` is set; false outside the field. */
	has(index: number): boolean {
		// Shifts wrap at 32 bits, so the bounds come first.
		return (
			index >= 0 &&
			index < this.size &&
			((this.#bytes[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0
		);
	}

	/**
	 * Sets bit `index`.
	 *
	 * @returns whether it was not set before
	 * @throws ShoalError ERR_RANGE outside the field
	 */
	set(index: number): boolean {
		if (!Number.isInteger(index) || index < 0 || index >= this.size) {
			throw new ShoalError('ERR_RANGE', `bit ${index} does not exist: there are ${this.size}`);
		}
		if (this.has(index)) {
			return false;
		}
		this.#bytes[index >> 3] = (this.#bytes[index >> 3] as number) | (0x80 >> (index & 7));
		this.#count += 1;
		return true;
	}

	/** Sets `count` bits, starting at `first`. @throws ShoalError ERR_RANGE outside the field */
	setRange(first: number, count: number): void {
		for (let index = first; index < first + count; index += 1) {
			this.set(index);
		}
	}

	/** Clears bit `index`. @returns whether it was set before */
	clear(index: number): boolean {
		if (!this.has(index)) {
			return false;
		}
		this.#bytes[index >> 3] = (this.#bytes[index >> 3] as number) & ~(0x80 >> (index & 7));
		this.#count -= 1;
		return true;
	}

	/**
	 * The indices of the bits that are not set among `count` bits from `first` on, ascending; a bit
	 * outside the field does not count. Bytes whose bits are all set cost almost no time.
	 */
	*missing(first: number, count: number): Generator<number> {
		const end = Math.min(first + count, this.size);
		for (let index = first; index < end; index += 1) {
			if (this.#bytes[index >> 3] === 0xff) {
				index |= 7;
			} else if (!this.has(index)) {
				yield index;
			}
		}
	}

	/** The indices of the set bits, ascending. */
	*indices(): Generator<number> {
		for (const [position, byte] of this.#bytes.entries()) {
			for (let bit = 0; byte !== 0 && bit < 8; bit += 1) {
				if ((byte & (0x80 >> bit)) !== 0) {
					yield position * 8 + bit;
				}
			}
		}
	}

	/** A copy of `count` bits as bytes, starting at `first`, a multiple of 8. */
	toBytes(first = 0, count: number = this.size - first): Uint8Array {
		const end = Math.min(first + count, this.size);
		const bytes = this.#bytes.slice(first >> 3, Math.ceil(end / 8));
		if (end % 8 !== 0 && bytes.length > 0) {
			bytes[bytes.length - 1] = (bytes.at(-1) as number) & (0xff00 >> (end % 8));
		}
		return bytes;
	}

	/**
	 * Adds the bits of `bytes`. Their first bit stands for bit `first`, a multiple of 8.
	 *
	 * @throws ShoalError ERR_RANGE if `first` is no multiple of 8, or if a bit lies outside the
	 *   field; the bits before that bit have then been set already
	 */
	addBytes(first: number, bytes: Uint8Array): void {
		if (first % 8 !== 0 || first < 0) {
			throw new ShoalError('ERR_RANGE', `bits cannot start at ${first}`);
		}
		for (const [position, byte] of bytes.entries()) {
			for (let bit = 0; byte !== 0 && bit < 8; bit += 1) {
				if ((byte & (0x80 >> bit)) !== 0) {
					this.set(first + position * 8 + bit);
				}
			}
		}
	}

	/**
	 * How full each of 64 equal buckets is, one hexadecimal digit for each bucket: 0 if no bit is
	 * set, f if every bit is set, else 1 to e in proportion.
	 */
	toBuckets(): string {
		let map = '';
		for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
			const first = Math.floor((bucket * this.size) / BUCKETS);
			const end = Math.max(first + 1, Math.floor(((bucket + 1) * this.size) / BUCKETS));
			let set = 0;
			for (let index = first; index < end; index += 1) {
				set += this.has(index) ? 1 : 0;
			}
			const total = end - first;
			map += (set === total ? 15 : set === 0 ? 0 : 1 + Math.floor((set * 14) / total)).toString(16);
		}
		return map;
	}
}
