import type { Storage } from '../../storage/storage.ts';
import { unreadable } from './hashes.ts';

/** A content that is a file of the user's, or a blob. It is only read. */
export class BlobStorage implements Storage {
	readonly #blob: Blob;
	readonly #name: string;

	/** @param name for messages */
	constructor(blob: Blob, name: string) {
		this.#blob = blob;
		this.#name = name;
	}

	async read(offset: number, into: Uint8Array): Promise<void> {
		try {
			const part = this.#blob.slice(offset, offset + into.length);
			into.set(new Uint8Array(await part.arrayBuffer()));
		} catch (cause) {
			throw unreadable(this.#name, cause);
		}
	}

	async write(): Promise<void> {
		throw new Error('a blob is not written to');
	}

	/** A browser tells that a file has changed when it is read. */
	check(): void {}

	async close(): Promise<void> {}
}
