import { type Folder, type FolderEntry, ShoalError } from '../../../protocol/index.ts';
import type { ContentHash } from './content-hash.ts';
import { FileDigests } from './file-digests.ts';

/**
 * The digests of the files of a folder. The index is not checked here: a `Folder` can be made only
 * from the index that the seed describes.
 */
export class FolderHash implements ContentHash {
	readonly #folder: Folder;
	readonly #digests: FileDigests;
	/** Number of files to check, and of those that are right. */
	readonly #checked: number;
	#right = 0;
	#hasPadding = true;

	/** @param paths the paths of the files to check; undefined: all */
	constructor(folder: Folder, paths: ReadonlySet<string> | undefined) {
		const isChecked = (entry: FolderEntry | undefined): boolean =>
			entry !== undefined && (paths?.has(entry.path) ?? true);
		this.#folder = folder;
		this.#checked = folder.pieces.filter(({ entry }) => isChecked(entry)).length;
		this.#digests = new FileDigests(folder, (entry, digest) => {
			this.#right += isChecked(entry) && digest === entry.digest ? 1 : 0;
		});
	}

	get hasRoom(): boolean {
		return this.#digests.hasRoom;
	}

	async room(): Promise<void> {
		await this.#digests.room();
	}

	add(offset: number, bytes: Uint8Array): void {
		this.#digests.add(offset, bytes);
		this.#folder.visit(offset, bytes.length, (piece) => {
			if (piece.entry === undefined) {
				const start = Math.max(0, piece.offset - offset);
				const padding = bytes.subarray(start, piece.offset + piece.length - offset);
				this.#hasPadding &&= padding.every((byte) => byte === 0);
			}
		});
	}

	async isRight(): Promise<boolean> {
		await this.#digests.done();
		const [right, hasPadding] = [this.#right, this.#hasPadding];
		this.#right = 0;
		this.#hasPadding = true;
		if (!hasPadding) {
			throw new ShoalError(
				'ERR_SEED',
				'the seed is wrong: the bytes between the files of this folder must be zeros, and are not; ask for another seed',
			);
		}
		return right === this.#checked;
	}

	close(): void {
		this.#digests.close();
	}
}
