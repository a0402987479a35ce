import type { Storage } from '../../storage/storage.ts';
import { unreadable } from './hashes.ts';

/** A content in a file of the user, or in a blob. It is only read. */
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

	/** Does nothing: a browser reports that a file has changed only when it is read. */
	check(): void {}

	async close(): Promise<void> {}
}
