const LENGTH_BYTES = 4;
const NUMBER_BYTES = 8;

/** A frame between the simulation and the process of the tracker: some numbers, then bytes. */
export interface Frame {
	readonly numbers: readonly number[];
	readonly bytes: Buffer;
}

/**
 * Encodes a frame: its length and the count of its numbers (32 bits each), the numbers (64-bit
 * floating point), the bytes.
 */
export function encodeFrame({ numbers, bytes }: Frame): Buffer {
	const head = Buffer.alloc(2 * LENGTH_BYTES + numbers.length * NUMBER_BYTES);
	head.writeUInt32LE(head.length + bytes.length, 0);
	head.writeUInt32LE(numbers.length, LENGTH_BYTES);
	for (const [index, number] of numbers.entries()) {
		head.writeDoubleLE(number, 2 * LENGTH_BYTES + index * NUMBER_BYTES);
	}
	return Buffer.concat([head, bytes]);
}

/** Puts frames together from the pieces in which a stream delivers them. */
export class FrameReader {
	#pieces: Buffer[] = [];
	#size = 0;

	/** The frames that `piece` completes. */
	*read(piece: Buffer): Generator<Frame> {
		this.#pieces.push(piece);
		this.#size += piece.length;
		for (let frame = this.#take(); frame !== undefined; frame = this.#take()) {
			yield frame;
		}
	}

	#take(): Frame | undefined {
		if (this.#size < LENGTH_BYTES || this.#size < this.#nextLength()) {
			return undefined;
		}
		const all = Buffer.concat(this.#pieces);
		const length = all.readUInt32LE(0);
		const count = all.readUInt32LE(LENGTH_BYTES);
		const start = 2 * LENGTH_BYTES;
		const numbers = Array.from({ length: count }, (_, index) =>
			all.readDoubleLE(start + index * NUMBER_BYTES),
		);
		this.#pieces = [all.subarray(length)];
		this.#size = all.length - length;
		return { numbers, bytes: all.subarray(start + count * NUMBER_BYTES, length) };
	}

	#nextLength(): number {
		const [first] = this.#pieces;
		if (first !== undefined && first.length < LENGTH_BYTES) {
			this.#pieces = [Buffer.concat(this.#pieces)];
		}
		return (this.#pieces[0] as Buffer).readUInt32LE(0);
	}
}
