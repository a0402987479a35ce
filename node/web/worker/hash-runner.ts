import type { DigestKind } from '../../../protocol/index.ts';
import { newHash } from './hashes.ts';

/** A message to the hashing thread. Each hash has a number. */
export type HashOrder =
	| { readonly do: 'begin'; readonly hash: number; readonly kind: DigestKind }
	| { readonly do: 'update'; readonly hash: number; readonly bytes: Uint8Array<ArrayBuffer> }
	/** The reply is the digest. The hash starts again from its beginning. */
	| { readonly do: 'digest'; readonly hash: number }
	| { readonly do: 'end'; readonly hash: number };

/** A message from the hashing thread. */
export type HashNews =
	| { readonly hash: number; readonly updated: number }
	| { readonly hash: number; readonly digest: string }
	| { readonly hash: number; readonly failed: string };

/**
 * Computes digests of whole contents. Any number of hashes may be open; orders are carried out one
 * after the other.
 */
export class HashRunner {
	readonly #tell: (news: HashNews) => void;
	readonly #hashes = new Map<number, ReturnType<typeof newHash>>();
	// The first order waits until the WebAssembly is loaded.
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
