import { type Extent, extents } from './extents.ts';

/** The files in which a content lies, for synchronous calls. Offsets are those of the content. */
export interface ContentPlace {
	/** The places of `length` bytes from `offset` on, in ascending order. */
	extents(offset: number, length: number): Extent[];

	/**
	 * A descriptor of `file`. The next call of `open` may close it.
	 *
	 * @throws errors of the file system
	 */
	open(file: number): number;

	/** The path of `file`, for messages. */
	pathOf(file: number): string;

	/** Whether zeros are not written where `file` already reads as zeros, so that holes stay. */
	keepsHoles(file: number): boolean;

	/** Closes the files that {@link open} has opened. @throws errors of the file system */
	close(): void;
}

/** An open file that holds a stretch of a content. */
export interface OpenPiece {
	readonly path: string;
	/** A descriptor of this process, open to be read and written. */
	readonly fd: number;
	/** Bytes. */
	readonly length: number;
	/** Whether zeros are not written where the file already reads as zeros, so that holes stay. */
	readonly keepsHoles: boolean;
}

/** Files that another part of this process has opened, and closes. */
export class OpenFiles implements ContentPlace {
	readonly #pieces: readonly OpenPiece[];
	readonly #lengths: readonly number[];

	/** @param pieces the files, one after the other */
	constructor(pieces: readonly OpenPiece[]) {
		this.#pieces = pieces;
		this.#lengths = pieces.map(({ length }) => length);
	}

	extents(offset: number, length: number): Extent[] {
		return extents(this.#lengths, offset, length);
	}

	open(file: number): number {
		return this.#piece(file).fd;
	}

	pathOf(file: number): string {
		return this.#piece(file).path;
	}

	keepsHoles(file: number): boolean {
		return this.#piece(file).keepsHoles;
	}

	close(): void {}

	#piece(file: number): OpenPiece {
		return this.#pieces[file] as OpenPiece;
	}
}
