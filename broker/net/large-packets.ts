import { PORTABLE_PART, ShoalError } from '../../protocol/index.ts';

/** Bytes of a packet that every client may send, however many others do: a part and its headers. */
export const USUAL_PACKET: number = PORTABLE_PART + 1024;

/**
 * Bounds the memory of packets that are larger than usual while they arrive. Only clients that send
 * fast use such packets, so a broker receives few of them at a time.
 */
export class LargePackets {
	readonly #most: number;
	#bytes = 0;

	/** @param most bytes of all large packets that may arrive at a time */
	constructor(most: number) {
		this.#most = most;
	}

	/**
	 * A packet of `length` bytes begins.
	 *
	 * @returns the bytes to give back with {@link end}
	 * @throws ShoalError ERR_LIMIT
	 */
	begin(length: number): number {
		if (length <= USUAL_PACKET) {
			return 0;
		}
		if (this.#bytes + length > this.#most) {
			const what = `a packet of ${length} bytes began while ${this.#bytes} bytes of large packets were arriving`;
			throw new ShoalError('ERR_LIMIT', `${what}; see the limit incoming`);
		}
		this.#bytes += length;
		return length;
	}

	/** A packet is whole, or will never be. */
	end(bytes: number): void {
		this.#bytes -= bytes;
	}
}
