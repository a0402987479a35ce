import { ShoalError } from '../../protocol/index.ts';
import type { Storage } from './storage.ts';

/** A content in memory. */
export class MemoryStorage implements Storage {
	readonly bytes: Uint8Array;

	constructor(length: number) {
		this.bytes = new Uint8Array(length);
	}

	async read(offset: number, into: Uint8Array): Promise<void> {
		into.set(this.#range(offset, into.length));
	}

	async write(offset: number, bytes: Uint8Array): Promise<void> {
		this.#range(offset, bytes.length).set(bytes);
	}

	check(): void {}

	async close(): Promise<void> {}

	#range(offset: number, length: number): Uint8Array {
		if (offset < 0 || offset + length > this.bytes.length) {
			throw new ShoalError(
				'ERR_IO',
				`bytes ${offset} to ${offset + length} are not in the content`,
			);
		}
		return this.bytes.subarray(offset, offset + length);
	}
}
