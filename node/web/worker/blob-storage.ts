import { quoted, ShoalError } from '../../../protocol/index.ts';
import type { Storage } from '../../storage/storage.ts';
import { unreadable } from './hashes.ts';

/** A stretch of a content that is a blob, or a file of the user. */
export interface BlobPiece {
	/** Offset of its first byte in the content. */
	readonly offset: number;
	readonly blob: Blob;
	/** The name or path of the file, for messages. */
	readonly name: string;
}

/** A content in files of the user, or in blobs. It is only read. */
export class BlobStorage implements Storage {
	readonly #pieces: readonly BlobPiece[];

	/** @param pieces in ascending order; bytes between them cannot be read */
	constructor(pieces: readonly BlobPiece[]) {
		this.#pieces = pieces;
	}

	async read(offset: number, into: Uint8Array): Promise<void> {
		await Promise.all(
			this.#parts(offset, into.length).map(async ({ blob, name, at }) => {
				const bytes = await blob.arrayBuffer().catch((cause: unknown) => {
					throw unreadable(name, cause);
				});
				if (bytes.byteLength !== blob.size) {
					throw new ShoalError('ERR_CHANGED', `${quoted(name)} became shorter while it was read`);
				}
				into.set(new Uint8Array(bytes), at);
			}),
		);
	}

	async write(): Promise<void> {
		throw new Error('a blob is not written to');
	}

	/** Does nothing: a browser reports that a file has changed only when it is read. */
	check(): void {}

	async close(): Promise<void> {}

	/**
	 * A stretch of the content as one blob. No bytes are read.
	 *
	 * @throws ShoalError ERR_IO if some of the bytes are not here
	 */
	slice(offset: number, length: number): Blob {
		const parts = this.#parts(offset, length);
		const [first] = parts;
		return first !== undefined && parts.length === 1
			? first.blob
			: new Blob(parts.map(({ blob }) => blob));
	}

	/** The slices of blobs with `length` bytes from `offset` on, and where each is in the stretch. */
	#parts(offset: number, length: number): Array<{ blob: Blob; name: string; at: number }> {
		const parts: Array<{ blob: Blob; name: string; at: number }> = [];
		let done = 0;
		for (let number = this.#firstAfter(offset); done < length; number += 1) {
			const piece = this.#pieces[number];
			const start = offset + done - (piece?.offset ?? 0);
			if (piece === undefined || start < 0) {
				throw new ShoalError('ERR_IO', `byte ${offset + done} of the content is not here`);
			}
			const end = Math.min(piece.blob.size, start + length - done);
			// A slice costs a browser several times as much as the reading of a small file.
			const isWhole = start === 0 && end === piece.blob.size;
			const blob = isWhole ? piece.blob : piece.blob.slice(start, end);
			parts.push({ blob, name: piece.name, at: done });
			done += end - start;
		}
		return parts;
	}

	/** The number of the first piece that ends after `offset`. */
	#firstAfter(offset: number): number {
		let low = 0;
		let high = this.#pieces.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			const piece = this.#pieces[middle] as BlobPiece;
			if (piece.offset + piece.blob.size > offset) {
				high = middle;
			} else {
				low = middle + 1;
			}
		}
		return low;
	}
}
