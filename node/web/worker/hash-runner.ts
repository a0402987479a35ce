import type { DigestKind } from '../../../protocol/index.ts';
import { newHash } from './hashes.ts';

/** To what hashes: each hash has a number. */
export type HashOrder =
	| { readonly do: 'begin'; readonly hash: number; readonly kind: DigestKind }
	| { readonly do: 'update'; readonly hash: number; readonly bytes: Uint8Array<ArrayBuffer> }
	/** Answered with the digest; the hash is at its beginning again. */
	| { readonly do: 'digest'; readonly hash: number }
	| { readonly do: 'end'; readonly hash: number };

/** From what hashes. */
export type HashNews =
	| { readonly hash: number; readonly updated: number }
	| { readonly hash: number; readonly digest: string }
	| { readonly hash: number; readonly failed: string };

/** Computes digests of whole contents, as many side by side as there are, one order after the other. */
export class HashRunner {
	readonly #tell: (news: HashNews) => void;
	readonly #hashes = new Map<number, ReturnType<typeof newHash>>();
	// The first waits until its WebAssembly is there.
	#last = Promise.resolve();

	constructor(tell: (news: HashNews) => void) {
		this.#tell = tell;
	}

	take(order: HashOrder): void {
		this.#last = this.#last
			.then(() => this.#obey(order))
			.catch((error: unknown) => this.#tell({ hash: order.hash, failed: String(error) }));
	}

	async #obey(order: HashOrder): Promise<void> {
		if (order.do === 'begin') {
			this.#hashes.set(order.hash, newHash(order.kind));
			return;
		}
		const hash = await this.#hashes.get(order.hash);
		if (hash === undefined) {
			return;
		}
		switch (order.do) {
			case 'update':
				hash.update(order.bytes);
				this.#tell({ hash: order.hash, updated: order.bytes.length });
				break;
			case 'digest':
				this.#tell({ hash: order.hash, digest: hash.digest() });
				hash.init();
				break;
			case 'end':
				this.#hashes.delete(order.hash);
				break;
		}
	}
}
