import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { DownloadResult, GetOptions, ShoalNode } from '../../../node/index.ts';
import type { ContentStore } from '../../../node/storage/content-store.ts';
import type { Seed } from '../../../protocol/index.ts';
import { makeFolder } from '../fixtures/folder.ts';
import { seedOf } from '../fixtures/seeds.ts';
import { startBroker } from './broker.ts';
import { hold } from './hold.ts';
import { startNode } from './node.ts';
import type { Scope } from './suite.ts';
import { until } from './until.ts';

/** The chunk size of the contents of these tests. It is small, so that the tests are quick. */
export const CHUNK = 16_384;

/** The result of a download, and the bytes of the content that were fetched. */
export type Fetched = DownloadResult & { readonly fetched: number };

/** A seeder, a node that downloads from it, and a folder for the files of both. */
export interface Reusing {
	readonly seeder: ShoalNode;
	readonly node: ShoalNode;
	readonly url: string;
	readonly root: string;
	/** The path of a file in the folder. */
	at(name: string): string;
	/** Writes a file into the folder. @returns its path */
	write(name: string, bytes: Uint8Array | string): Promise<string>;
	/** Makes the seeder share `bytes`. */
	share(bytes: Uint8Array, name?: string): Promise<Seed>;
	/** Downloads. @returns the result, and the bytes of the content that were fetched */
	get(what: Seed | string, options: GetOptions): Promise<Fetched>;
}

export async function startReusing(t: Scope): Promise<Reusing> {
	const { url } = await startBroker(t);
	const [seeder, node] = [await startNode(t, url), await startNode(t, url)];
	const root = await makeFolder(t);
	const at = (name: string): string => join(root, name);
	return {
		...{ seeder, node, url, root, at },
		write: async (name, bytes) => {
			await writeFile(at(name), bytes);
			return at(name);
		},
		share: async (bytes, name = 'image.bin') => {
			const content = new Uint8Array(bytes);
			return await shareHeld(node, seeder, {
				seed: seedOf(content, { chunkSize: CHUNK, name }),
				content,
			});
		},
		get: async (what, options) => await fetched(node.get(what, options)),
	};
}

/**
 * Makes `seeder` share a content in memory, unless it shares the content already. Waits until
 * `node` finds the content.
 */
export async function shareHeld(
	node: ShoalNode,
	seeder: ShoalNode,
	held: Parameters<typeof hold>[1],
): Promise<Seed> {
	const { seed } = held;
	const { contents } = (seeder as unknown as { context: { contents: ContentStore } }).context;
	if (contents.get(seed.id) === undefined) {
		await hold(seeder, held);
	}
	await until('it is announced', async () => (await node.who(seed.id)).nodes.length > 0);
	return seed;
}

/** Waits for a download, and checks that the numbers of its result add up. */
export async function fetched(getting: Promise<DownloadResult>): Promise<Fetched> {
	const result = await getting;
	checkSums(result);
	return { ...result, fetched: bytesOf(result) };
}

/** Checks that the fetched bytes and all kinds of reused bytes add up to the length. */
function checkSums(result: DownloadResult): void {
	const { reused, kept, length } = result;
	const { place, known, zeros, files } = reused;
	assert.is(place + known + zeros + files, kept, JSON.stringify({ reused, kept }));
	assert.ok(Math.min(place, known, zeros, files) >= 0, JSON.stringify(reused));
	assert.is(kept, Math.max(0, length - bytesOf(result)));
}

function bytesOf({ sources }: DownloadResult): number {
	return sources.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Bytes that a file takes on the disk. */
export async function diskBytes(path: string): Promise<number> {
	return (await stat(path)).blocks * 512;
}
