import type { SourceShare, Transfer } from './transfer.ts';

/** What came from whom in all of these transfers. */
export function sumOf(transfers: readonly Transfer[]): SourceShare[] {
	const shares = new Map<string, SourceShare>();
	for (const share of transfers.flatMap((transfer) => transfer.shares)) {
		const { chunks = 0, bytes = 0 } = shares.get(share.node) ?? {};
		shares.set(share.node, {
			...share,
			chunks: chunks + share.chunks,
			bytes: bytes + share.bytes,
		});
	}
	return [...shares.values()];
}
