import type { Seed } from '../../../protocol/index.ts';
import type { ContentHash } from './content-hash.ts';
import { ThreadedHash } from './threaded-hash.ts';

/** The digest of a whole file. */
export class WholeHash implements ContentHash {
	readonly #digest: string;
	readonly #hash: ThreadedHash;

	constructor({ kind, digest }: Seed) {
		this.#digest = digest;
		this.#hash = new ThreadedHash(kind);
	}

	get hasRoom(): boolean {
		return this.#hash.hasRoom;
	}

	async room(): Promise<void> {
		await this.#hash.room();
	}

	/** Adds the next bytes of the file. */
	add(_offset: number, bytes: Uint8Array): void {
		this.#hash.update(bytes);
	}

	async isRight(): Promise<boolean> {
		return (await this.#hash.digest()) === this.#digest;
	}

	close(): void {
		this.#hash.close();
	}
}
