import { concatUint8Arrays, uint8ArrayToHex } from 'uint8array-extras';
import type { Folder, FolderEntry, FolderPiece } from '../../../protocol/index.ts';
import { digestChunk } from './hashes.ts';
import { ThreadedHash } from './threaded-hash.ts';

/** Files up to this many bytes are hashed at once, larger ones while their bytes arrive. */
const MOST_AT_ONCE = 4 * 1024 * 1024;
/** Maximum number of bytes that may wait to be hashed. */
const MOST_WAITING = 16 * 1024 * 1024;

/** The file whose first bytes were added. */
interface Begun {
	readonly piece: FolderPiece;
	/** Bytes that were added. */
	added: number;
	/** These bytes, if the file is small. */
	readonly parts: Uint8Array[];
	/** The hash of these bytes, if the file is large. */
	readonly hash: ThreadedHash | undefined;
}

/**
 * The digests of the files of a folder, computed from its content. The bytes of the content are
 * added in ascending order. A file of which bytes are left out has no digest.
 */
export class FileDigests {
	readonly #folder: Folder;
	readonly #found: (entry: FolderEntry, digest: string) => void;
	readonly #waiting = new Set<Promise<void>>();
	#bytesWaiting = 0;
	#begun: Begun | undefined;
	#failure: unknown;

	/** @param found called with the digest of each file, lower-case hex */
	constructor(folder: Folder, found: (entry: FolderEntry, digest: string) => void) {
		this.#folder = folder;
		this.#found = found;
	}

	/** Whether few bytes are waiting to be hashed. `add` takes bytes in any case. */
	get hasRoom(): boolean {
		return this.#bytesWaiting < MOST_WAITING && this.#begun?.hash?.hasRoom !== false;
	}

	/** Resolves when there is room. @throws ShoalError ERR_IO, ERR_CLOSED */
	async room(): Promise<void> {
		while (this.#bytesWaiting >= MOST_WAITING) {
			await Promise.race(this.#waiting);
		}
		await this.#begun?.hash?.room();
	}

	/** Adds the bytes of the content from `offset` on, which are copied. */
	add(offset: number, bytes: Uint8Array): void {
		this.#folder.visit(offset, bytes.length, (piece) => {
			const start = Math.max(piece.offset, offset);
			const end = Math.min(piece.offset + piece.length, offset + bytes.length);
			if (piece.entry !== undefined) {
				this.#add(piece, start - piece.offset, bytes.subarray(start - offset, end - offset));
			}
		});
	}

	/** Resolves when all digests of files that are complete were found. @throws ShoalError ERR_IO */
	async done(): Promise<void> {
		while (this.#waiting.size > 0) {
			await Promise.race(this.#waiting);
		}
		if (this.#failure !== undefined) {
			throw this.#failure;
		}
	}

	/** Forgets the bytes of a file that is not complete. */
	close(): void {
		this.#begun?.hash?.close();
		this.#begun = undefined;
	}

	/** @param at offset of the bytes in the file */
	#add(piece: FolderPiece, at: number, bytes: Uint8Array): void {
		if (at === 0) {
			this.close();
			const isLarge = piece.length > MOST_AT_ONCE;
			const hash = isLarge ? new ThreadedHash('sha256') : undefined;
			this.#begun = { piece, added: 0, parts: [], hash };
		}
		const begun = this.#begun;
		if (begun?.piece !== piece || begun.added !== at) {
			return;
		}
		begun.added += bytes.length;
		begun.hash?.update(bytes);
		if (begun.hash === undefined) {
			begun.parts.push(bytes.slice());
		}
		if (begun.added === piece.length) {
			this.#begun = undefined;
			this.#finish(begun);
		}
	}

	#finish({ piece: { entry, length }, parts, hash }: Begun): void {
		const waits = hash === undefined ? length : 0;
		const digesting = hash?.digest() ?? digestOf(parts);
		this.#bytesWaiting += waits;
		const waiting = digesting
			.then((digest) => this.#found(entry as FolderEntry, digest))
			.catch((error: unknown) => {
				this.#failure ??= error;
			})
			.finally(() => {
				hash?.close();
				this.#bytesWaiting -= waits;
				this.#waiting.delete(waiting);
			});
		this.#waiting.add(waiting);
	}
}

async function digestOf(parts: Uint8Array[]): Promise<string> {
	const [first] = parts;
	const bytes = first !== undefined && parts.length === 1 ? first : concatUint8Arrays(parts);
	return uint8ArrayToHex(await digestChunk('sha256', bytes));
}
