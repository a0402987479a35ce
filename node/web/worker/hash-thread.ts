import type { DigestKind } from '../../../protocol/index.ts';
import { newHash } from './hashes.ts';

// A thread that computes digests of whole contents, as many side by side as there are: each has a number.

/** To the thread. */
export type HashOrder =
	| { readonly do: 'begin'; readonly hash: number; readonly kind: DigestKind }
	| { readonly do: 'update'; readonly hash: number; readonly bytes: Uint8Array }
	/** Answered with the digest; the hash is at its beginning again. */
	| { readonly do: 'digest'; readonly hash: number }
	| { readonly do: 'end'; readonly hash: number };

/** From the thread. */
export type HashNews =
	| { readonly hash: number; readonly updated: number }
	| { readonly hash: number; readonly digest: string }
	| { readonly hash: number; readonly failed: string };

const hashes = new Map<number, ReturnType<typeof newHash>>();

async function obey(order: HashOrder): Promise<void> {
	if (order.do === 'begin') {
		hashes.set(order.hash, newHash(order.kind));
		return;
	}
	const hash = await hashes.get(order.hash);
	if (hash === undefined) {
		return;
	}
	switch (order.do) {
		case 'update':
			hash.update(order.bytes);
			postMessage({ hash: order.hash, updated: order.bytes.length } satisfies HashNews);
			break;
		case 'digest':
			postMessage({ hash: order.hash, digest: hash.digest() } satisfies HashNews);
			hash.init();
			break;
		case 'end':
			hashes.delete(order.hash);
			break;
	}
}

// One after the other: the first waits until its WebAssembly is there.
let last = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<HashOrder>) => {
	last = last
		.then(() => obey(data))
		.catch((error: unknown) => {
			postMessage({ hash: data.hash, failed: String(error) } satisfies HashNews);
		});
});
