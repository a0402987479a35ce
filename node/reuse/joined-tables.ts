import type { Found, KnownDigests, SourceHead } from './known-table.ts';

/** Several tables as one. Sources that are not used any more are left out. */
export class JoinedTables implements KnownDigests {
	readonly #tables: readonly KnownDigests[];
	readonly #isUsed: (source: SourceHead) => boolean;

	/** @param tables the preferred first */
	constructor(tables: readonly KnownDigests[], isUsed: (source: SourceHead) => boolean) {
		this.#tables = tables;
		this.#isUsed = isUsed;
	}

	get size(): number {
		return this.#tables.reduce((sum, { size }) => sum + size, 0);
	}

	chunk(digest: Uint8Array): Found[] {
		return this.#used((table) => table.chunk(digest));
	}

	file(digest: Uint8Array): Found[] {
		return this.#used((table) => table.file(digest));
	}

	#used(find: (table: KnownDigests) => Found[]): Found[] {
		return this.#tables.flatMap(find).filter(({ source }) => this.#isUsed(source));
	}
}
