import { ShoalError } from '../errors.ts';

/**
 * Bytes that are read at once while the next packet is unknown: small packets, and the start of
 * large ones.
 */
const SCRATCH = 8 * 1024;
// MQTT 3.1.1, 2.2.3: the remaining length takes one to four bytes, seven bits each.
const LENGTH_BYTES = 4;

/** Options of a {@link PacketFramer}. */
export interface PacketFramerOptions {
	/**
	 * Checks that a packet of this type (MQTT 3.1.1, 2.2.1) and length in bytes, which starts with
	 * the byte `first`, is allowed now.
	 *
	 * @throws ShoalError if not
	 */
	readonly admit: (type: number, length: number, first: number) => void;
	/** Returns a buffer of `length` bytes for a packet that starts with the byte `first`. */
	readonly allocate: (first: number, length: number) => Uint8Array;
	/** Called with each whole packet, its fixed header included, in order. */
	readonly onPacket: (packet: Uint8Array) => void;
}

/**
 * Splits a stream of bytes into MQTT packets (3.1.1, 2.2). It provides the buffer for the next
 * bytes, so that most bytes of a large packet are never copied, and no packet is held before its
 * length was admitted.
 */
export class PacketFramer {
	readonly #options: PacketFramerOptions;
	readonly #scratch = new Uint8Array(SCRATCH);
	/** Bytes of the scratch that are filled: the start of a packet. */
	#held = 0;
	/** The packet whose end has not arrived yet, and the number of its bytes that have arrived. */
	#packet: Uint8Array | undefined;
	#filled = 0;

	/** Begins with an empty stream. */
	constructor(options: PacketFramerOptions) {
		this.#options = options;
	}

	/**
	 * The buffer to read the next bytes into; call {@link filled} afterwards. It is never empty,
	 * unless `filled` has thrown.
	 */
	get target(): Uint8Array {
		return this.#packet === undefined
			? this.#scratch.subarray(this.#held)
			: this.#packet.subarray(this.#filled);
	}

	/** Whether no packet has begun. */
	get isEmpty(): boolean {
		return this.#held === 0 && this.#packet === undefined;
	}

	/**
	 * Takes `count` bytes that were read into the target.
	 *
	 * @throws ShoalError what `admit` and `onPacket` throw, ERR_MESSAGE
	 */
	filled(count: number): void {
		if (this.#packet === undefined) {
			this.#held += count;
			this.#cut();
			return;
		}
		this.#filled += count;
		if (this.#filled === this.#packet.length) {
			const packet = this.#packet;
			this.#packet = undefined;
			this.#options.onPacket(packet);
		}
	}

	/** Takes `bytes` that were read elsewhere, and copies them. @throws as {@link filled} */
	fill(bytes: Uint8Array): void {
		for (let at = 0; at < bytes.length; ) {
			const { target } = this;
			const part = bytes.subarray(at, at + target.length);
			target.set(part);
			this.filled(part.length);
			at += part.length;
		}
	}

	/**
	 * Splits the bytes in the scratch into packets. The start of an incomplete packet stays in the
	 * scratch until the length of the packet is known; then it moves to the packet's own buffer.
	 */
	#cut(): void {
		let at = 0;
		for (let size = this.#sizeAt(at); size !== undefined; size = this.#sizeAt(at)) {
			const there = this.#scratch.subarray(at, Math.min(at + size, this.#held));
			const packet = this.#options.allocate(there[0] as number, size);
			packet.set(there);
			at += there.length;
			if (there.length < size) {
				this.#packet = packet;
				this.#filled = there.length;
				break;
			}
			this.#options.onPacket(packet);
		}
		this.#scratch.copyWithin(0, at, this.#held);
		this.#held -= at;
	}

	/** Bytes of the packet that starts at `at`; undefined if its length has not arrived yet. */
	#sizeAt(at: number): number | undefined {
		let length = 0;
		for (let index = 1; index <= LENGTH_BYTES; index += 1) {
			if (at + index >= this.#held) {
				return undefined;
			}
			const byte = this.#scratch[at + index] as number;
			length += (byte & 0x7f) * 128 ** (index - 1);
			if (byte < 128) {
				const first = this.#scratch[at] as number;
				this.#options.admit(first >> 4, length, first);
				return 1 + index + length;
			}
		}
		throw new ShoalError('ERR_MESSAGE', 'a packet has a length of more than four bytes');
	}
}
