import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalNode, type ShoalNodeOptions } from '../../../node/index.ts';
import { makeFolder } from '../fixtures/folder.ts';
import type { Scope } from './suite.ts';

/** A node that is closed when the test ends. */
export async function startNode(
	t: Scope,
	url: string,
	options: Omit<ShoalNodeOptions, 'broker'> = {},
): Promise<ShoalNode> {
	const node = await ShoalNode.start({ ...options, broker: url });
	t.defer(() => node.close());
	return node;
}

/** Writes `content` into a file in a new folder. */
export async function makeFile(
	t: Scope,
	content: Uint8Array | string,
	name = 'file.bin',
): Promise<string> {
	const path = join(await makeFolder(t), name);
	await writeFile(path, content);
	return path;
}

/** All seeds that the tracker lists. */
export async function listed(node: ShoalNode) {
	const seeds = [];
	for await (const seed of node.seeds()) {
		seeds.push(seed);
	}
	return seeds;
}
