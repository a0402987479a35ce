import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ShoalNode } from '../../node/index.ts';
import type { Seed } from '../../protocol/index.ts';
import { Peer } from '../helpers/adversaries/peer.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { HOSTILE_FOLDERS, type HostileFolder } from '../helpers/fixtures/hostile-folders.ts';
import { linesIn, plant } from '../helpers/fixtures/trees.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { Shoal, spawnBroker } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

// A seeder serves folders with a valid seed and an invalid index or content. An invalid index is
// refused before any other chunk is requested, and such a folder never appears at its final path.

const test = suite('hostile folders');

/** Serves `folder` with the numbers of its seed. */
async function serve(peer: Peer, { seed, content }: HostileFolder): Promise<void> {
	peer.serve(seed, { content, about: { index: seed.index, files: 1 } });
	await peer.announce(seed);
}

/** The chunks of which bytes were requested. */
function asked(peer: Peer, seed: Seed): number[] {
	const chunks = peer.requests.flatMap(({ request }) =>
		request.op === 'chunks' && request.seed === seed.id
			? request.ranges.map(([offset]) => seed.layout.chunkAt(offset))
			: [],
	);
	return [...new Set(chunks)].sort((a, b) => a - b);
}

/** A folder for downloads, beside files that must not change. */
async function makePlace(t: Scope) {
	const root = await plant(join(await makeFolder(t), 'root'), {
		evil: 'canary',
		'a/evil': 'canary',
		'a/b/evil': 'canary',
	});
	const target = join(root, 'a/b/target');
	await mkdir(target);
	const before = await linesIn(root);
	return { target, isUntouched: async () => assert.equal(await linesIn(root), before) };
}

async function readAll(node: ShoalNode, seed: Seed, path: string): Promise<void> {
	for await (const _ of node.stream(seed, { path })) {
		// No bytes are expected.
	}
}

test('each hostile folder is refused with its code, and leaves nothing', async (t) => {
	const { url } = await startBroker(t);
	const [peer, node] = [await Peer.join(t, url), await startNode(t, url)];
	const { target, isUntouched } = await makePlace(t);
	for (const [what, make, code] of HOSTILE_FOLDERS) {
		const folder = make();
		const { seed, index, isIndexBad } = folder;
		await serve(peer, folder);
		const error = await rejects(node.get(seed, { output: target }));
		assert.is(error.code, code, `${what}: ${error}`);
		assert.ok(error.message.length < 1_000 && !/\p{Cc}/u.test(error.message), what);
		assert.equal(await readdir(target), [], what);
		if (isIndexBad) {
			const chunks = Math.ceil(index.length / seed.layout.chunkSize);
			assert.ok(
				asked(peer, seed).every((chunk) => chunk < chunks),
				`${what}: ${asked(peer, seed)}`,
			);
			assert.is((await rejects(node.list(seed))).code, 'ERR_SEED', `list: ${what}`);
			assert.is((await rejects(readAll(node, seed, 'a'))).code, 'ERR_SEED', `stream: ${what}`);
			assert.ok(
				asked(peer, seed).every((chunk) => chunk < chunks),
				`${what}: ${asked(peer, seed)}`,
			);
		}
	}
	await isUntouched();
});

test('an existing folder at the target is not changed when a hostile folder is refused', async (t) => {
	const { url } = await startBroker(t);
	const [peer, node] = [await Peer.join(t, url), await startNode(t, url)];
	const root = await makeFolder(t);
	const mine = await plant(join(root, 'folder'), { evil: 'mine', 'a/b': 'mine' });
	const before = await linesIn(mine);
	for (const [what, make] of HOSTILE_FOLDERS.filter((_, at) => at % 4 === 0)) {
		const folder = make();
		await serve(peer, folder);
		const error = await rejects(node.get(folder.seed, { output: root }));
		assert.ok(['ERR_SEED', 'ERR_EXISTS'].includes(error.code as string), `${what}: ${error}`);
		assert.equal(await linesIn(mine), before, what);
		assert.equal(await readdir(root), ['folder'], what);
	}
});

test('shoal get ends with an error for a hostile folder, and leaves nothing', async (t) => {
	const { url } = await spawnBroker(t);
	const peer = await Peer.join(t, url);
	const { target, isUntouched } = await makePlace(t);
	for (const wanted of ['a path that begins with ..', 'a link that leaves the folder']) {
		const [, make] = HOSTILE_FOLDERS.find(
			([what]) => what === wanted,
		) as (typeof HOSTILE_FOLDERS)[0];
		const folder = make();
		await serve(peer, folder);
		const args = ['get', folder.seed.id, '-o', target, '--broker', url, '--no-linger'];
		const get = new Shoal(t, args);
		assert.is(await get.exit(), 1);
		assert.is((await get.event('error')).code, 'ERR_SEED');
		await isUntouched();
	}
});

test.run();
