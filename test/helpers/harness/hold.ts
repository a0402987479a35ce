import type { ShoalNode } from '../../../node/index.ts';
import type { ContentStore } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield } from '../../../protocol/index.ts';
import type { MadeFolder } from '../fixtures/trees.ts';

/**
 * Makes `node` have a content and announce it. Without `folder` the index of the content may be
 * wrong.
 */
export async function hold(
	node: ShoalNode,
	{ seed, folder, content }: Pick<MadeFolder, 'seed' | 'content'> & Partial<MadeFolder>,
): Promise<void> {
	const { contents } = (node as unknown as { context: { contents: ContentStore } }).context;
	const storage = new MemoryStorage(content.length);
	await storage.write(0, content);
	contents.add({ seed, folder, have: Bitfield.full(seed.chunks), storage });
}
