import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ShoalNode } from '../../../node/index.ts';
import { makeFolder } from '../fixtures/folder.ts';
import { contentOf } from '../fixtures/seeds.ts';
import { startBroker } from './broker.ts';
import type { Scope } from './suite.ts';

export const CONTENT: Uint8Array = contentOf(700_000);

/** Shares a file in this process, for tests that do not need a separate seeder process. */
export async function fileSharedHere(
	t: Scope,
	name = 'file.bin',
	options: { readonly id?: string } = {},
) {
	const folder = await makeFolder(t);
	const path = join(folder, name);
	writeFileSync(path, CONTENT);
	const { url } = await startBroker(t);
	const node = await ShoalNode.start({ ...options, broker: url });
	t.defer(() => node.close());
	const { seed } = await node.share(path);
	return { folder, path, url, node, seed, id: seed.id };
}
