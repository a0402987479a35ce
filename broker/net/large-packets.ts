import { PORTABLE_PART } from '../../protocol/index.ts';

/** Bytes of a packet that every client may send, however many others do: a part and its headers. */
export const USUAL_PACKET: number = PORTABLE_PART + 1024;

interface Arriving {
	readonly length: number;
	readonly cut: () => void;
}

/**
 * Bounds the memory of packets that are larger than usual while they arrive. If there are too many,
 * the connection whose packet began first is cut: it is the slowest, or will never send the rest.
 */
export class LargePackets {
	readonly #most: number;
	/** The packets that are arriving, by their connections; the one that began first is first. */
	readonly #arriving = new Map<object, Arriving>();
	#bytes = 0;

	/** @param most bytes of all large packets that may arrive at a time */
	constructor(most: number) {
		this.#most = most;
	}

	/**
	 * A packet of `length` bytes begins on `connection`.
	 *
	 * @param cut called if the packet has to make room for others
	 */
	begin(connection: object, length: number, cut: () => void): void {
		if (length <= USUAL_PACKET) {
			return;
		}
		for (const [oldest, { cut: cutOldest }] of this.#arriving) {
			if (this.#bytes + length <= this.#most) {
				break;
			}
			this.end(oldest);
			cutOldest();
		}
		this.#arriving.set(connection, { length, cut });
		this.#bytes += length;
	}

	/** The packet of `connection` is whole, or will never be. */
	end(connection: object): void {
		this.#bytes -= this.#arriving.get(connection)?.length ?? 0;
		this.#arriving.delete(connection);
	}
}
