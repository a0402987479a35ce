import type { Holding, Holdings } from './holdings.ts';

/**
 * The bytes of a holding in order, each chunk as soon as it is here. Ends with the content, or with
 * an error when `failure` rejects first.
 */
export async function* contentStream(
	holdings: Holdings,
	holding: Holding,
	failure: Promise<never>,
): AsyncGenerator<Uint8Array> {
	const { layout } = holding.seed;
	let wake = (): void => {};
	const off = holdings.on('gained', (gained) => {
		if (gained === holding) {
			wake();
		}
	});
	try {
		for (let chunk = 0; chunk < layout.chunks; chunk += 1) {
			while (!holding.have.has(chunk)) {
				const gained = new Promise<void>((resolve) => {
					wake = resolve;
				});
				await Promise.race([gained, failure]);
			}
			const bytes = new Uint8Array(layout.sizeOf(chunk));
			await holding.storage.read(layout.offsetOf(chunk), bytes);
			yield bytes;
		}
	} finally {
		off();
	}
}
