import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openInPlace } from '../../node/channel/place/in-place.ts';
import type { Place } from '../../node/channel/place/place.ts';
import { openReleases } from '../../node/channel/place/releases.ts';
import type { DownloadManager } from '../../node/download/download-manager.ts';
import type { DownloadResult } from '../../node/index.ts';
import type { ContentStore } from '../../node/storage/content-store.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { folderOf, linesIn, linesOf, type Tree } from '../helpers/fixtures/trees.ts';
import { CHANNEL } from '../helpers/harness/following.ts';
import {
	CHUNK,
	fetched,
	type Reusing,
	shareHeld,
	startReusing,
} from '../helpers/harness/reusing.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('downloads into followed folders');
const LARGE = contentOf(200 * CHUNK);

/** The version of a tree with one changed byte in the large file. */
function treeOf(seq: number): Tree {
	const large = Uint8Array.from(LARGE);
	large[seq * 10 * CHUNK] = seq;
	return { large, 'a/same': contentOf(3 * CHUNK), 'a/seq': `${seq}` };
}

/** Downloads a version with a node, and applies it. */
async function update({ seeder, node }: Reusing, place: Place, tree: Tree, seq: number) {
	const held = folderOf(tree, { chunkSize: CHUNK });
	const { seed } = await shareHeld(node, seeder, held).then(() => held);
	const version = { block: 0, seq, seed: seed.id };
	const { downloads, context } = node as unknown as {
		readonly downloads: DownloadManager;
		readonly context: { readonly contents: ContentStore };
	};
	const target = place.target(version);
	const getting: Promise<DownloadResult> = downloads.get({ id: seed.id }, target, {});
	const result = await fetched(getting);
	const content = context.contents.get(seed.id);
	assert.ok(content);
	context.contents.remove(content);
	await target.abandon();
	return { ...(await place.apply(version)), fetched: result.fetched, length: seed.length };
}

test('an update in place fetches only what differs', async (t) => {
	const rig = await startReusing(t);
	const dir = rig.at('dir');
	const place = await openInPlace(dir, { channel: CHANNEL });
	t.defer(() => place.close());
	const first = await update(rig, place, treeOf(1), 1);
	assert.is(first.fetched, first.length);
	await writeFile(join(dir, 'a/seq'), 'mine');
	const second = await update(rig, place, treeOf(2), 2);
	assert.ok(second.fetched < 6 * CHUNK, `${second.fetched} bytes`);
	assert.equal(second.kept, ['a/seq.mine-2']);
	const lines = await linesIn(dir);
	assert.equal(
		lines.filter((line) => !line.includes('.shoal/')),
		linesOf({ ...treeOf(2), 'a/seq.mine-2': 'mine' }),
	);
});

test('a file that people changed, and that the next version leaves as it was, is fetched again', async (t) => {
	const rig = await startReusing(t);
	const dir = rig.at('dir');
	const place = await openInPlace(dir, { channel: CHANNEL });
	t.defer(() => place.close());
	await update(rig, place, treeOf(1), 1);
	// Its chunks have the bytes of other chunks, as far as the index of version 1 knows.
	const mine = Uint8Array.from(treeOf(1).large as Uint8Array, (byte) => byte ^ 1);
	await writeFile(join(dir, 'large'), mine);
	const next = { ...treeOf(1), 'a/seq': '2' };
	const second = await update(rig, place, next, 2);
	assert.ok(second.fetched >= LARGE.length, `${second.fetched} bytes`);
	const lines = await linesIn(dir);
	assert.equal(
		lines.filter((line) => !line.includes('.shoal/')),
		linesOf({ ...next, 'large.mine-2': mine }),
	);
});

test('a new release fetches only what differs', async (t) => {
	const rig = await startReusing(t);
	const place = await openReleases(rig.at('dir'), { channel: CHANNEL, keep: 2 });
	t.defer(() => place.close());
	await update(rig, place, treeOf(1), 1);
	const { fetched: bytes, path } = await update(rig, place, treeOf(2), 2);
	assert.ok(bytes < 6 * CHUNK, `${bytes} bytes`);
	assert.equal(await linesIn(path), linesOf(treeOf(2)));
});

test.run();
