import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ShoalNode } from '../../node/index.ts';
import { Bitfield, type Seed } from '../../protocol/index.ts';
import { Peer } from '../helpers/adversaries/peer.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import {
	d,
	folderOf,
	l,
	linesIn,
	linesOf,
	type MadeFolder,
	plant,
	type Tree,
	x,
} from '../helpers/fixtures/trees.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('folders among nodes');
const TREE: Tree = {
	'a/one': contentOf(300_000),
	'a/two': contentOf(5),
	'b/large': contentOf(600_000),
	'b/link': l('large'),
	'b/void': d,
	empty: '',
	run: x('#!/bin/sh\n'),
};
const only = (...starts: string[]): string[] =>
	linesOf(
		Object.fromEntries(
			Object.entries(TREE).filter(([path]) => starts.some((each) => path.startsWith(each))),
		),
	);

async function shared(t: Scope) {
	const { url } = await startBroker(t);
	const root = await makeFolder(t);
	const source = await plant(join(root, 'source', 'folder'), TREE);
	const seeder = await startNode(t, url);
	const share = await seeder.share(source);
	return { url, root, source, seeder, share, seed: share.seed };
}

test('the entries of a folder are listed as plain objects', async (t) => {
	const { url, seed } = await shared(t);
	const node = await startNode(t, url);
	const { entries } = await node.list(seed.id);
	const expected = folderOf(TREE).folder.entries.map(({ path, kind, length, digest }) => {
		return { path, kind, length, digest };
	});
	assert.equal(JSON.parse(JSON.stringify(entries)), expected);
	assert.equal(
		entries.map((entry) => ({ ...entry })),
		expected,
	);
});

test('a node with some files of a folder uploads only the chunks that are complete on its disk', async (t) => {
	const { url, root, seed } = await shared(t);
	const node = await startNode(t, url);
	const result = await node.get(seed.id, { output: root, only: ['b'] });
	assert.ok(result.isPartial);
	assert.is(result.files, 1);
	assert.equal(await linesIn(join(root, 'folder')), only('b/'));
	const peer = await Peer.join(t, url);
	peer.askHave(node.id, seed.id);
	await until('a reply', () => peer.repliesOf('have').length > 0);
	const [reply] = peer.repliesOf('have');
	assert.is(reply?.index, seed.index);
	const field = new Bitfield(seed.chunks);
	const { have } = reply as { have: { first: number; bits: string } };
	field.addBytes(have.first, Buffer.from(have.bits, 'base64'));
	assert.ok(field.count > 0 && field.count < seed.chunks);
	for (let chunk = 0; chunk < seed.chunks; chunk += 1) {
		peer.ask(node.id, seed.id, [[seed.layout.offsetOf(chunk), 1_000]]);
	}
	await until('answers', () => peer.chunks.length + peer.refusals.length === seed.chunks);
	assert.is(peer.chunks.length, field.count);
	assert.ok(peer.refusals.every((reason) => reason === 'not-there'));
});

test('one node can get some files, then other files, then all, and can get different files at the same time', async (t) => {
	const { url, root, seed } = await shared(t);
	const node = await startNode(t, url);
	const get = async (place: string, ...globs: string[]): Promise<string[]> => {
		const options = globs.length === 0 ? {} : { only: globs };
		const { path } = await node.get(seed.id, { output: `${join(root, place)}/`, ...options });
		return await linesIn(path);
	};
	assert.equal(await get('one', 'b/void'), only('b/void'), 'an empty folder, which has no bytes');
	assert.equal(await get('one', 'empty'), only('b/void', 'empty'));
	assert.equal(await get('one', 'a'), only('a/', 'b/void', 'empty'));
	assert.equal(await get('one'), linesOf(TREE));
	assert.equal(await get('two'), linesOf(TREE), 'copied from the first copy');
	const [three, four] = await Promise.all([get('three', 'a'), get('four', 'run')]);
	assert.equal(three, only('a/'));
	assert.equal(four, only('run'));
	assert.equal((await readdir(root)).sort(), ['four', 'one', 'source', 'three', 'two']);
});

test('a folder that the node itself shares is copied to another path, without fetching it', async (t) => {
	const { root, source, seeder, seed } = await shared(t);
	const here = await seeder.get(seed.id, { output: join(root, 'source') });
	assert.ok(here.wasThere);
	assert.is(here.path, source);
	const copy = await seeder.get(seed.id, { output: join(root, 'copy') });
	assert.not.ok(copy.wasThere);
	assert.equal(await linesIn(copy.path), linesOf(TREE));
	assert.equal(await linesIn(source), linesOf(TREE));
});

/** A simulated seeder that sends wrong bytes for the chunks for which `isWrong` returns true. */
async function liar(t: Scope, url: string, made: MadeFolder, isWrong: (chunk: number) => boolean) {
	const peer = await Peer.join(t, url);
	const content = Uint8Array.from(made.content);
	for (let chunk = 0; chunk < made.seed.chunks; chunk += 1) {
		if (isWrong(chunk)) {
			const at = made.seed.layout.offsetOf(chunk);
			content[at] = (content[at] as number) ^ 1;
		}
	}
	peer.serve(made.seed, { content, about: { index: made.seed.index } });
	await peer.announce(made.seed);
	return peer;
}

async function isGot(node: ShoalNode, what: string | Seed, root: string): Promise<void> {
	const { path } = await node.get(what, { output: root });
	assert.equal(await linesIn(path), linesOf(TREE));
}

test('a peer that sends a wrong index costs at most two chunks, and another peer delivers the folder', async (t) => {
	const { url, root, seed } = await shared(t);
	await liar(t, url, folderOf(TREE), (chunk) => chunk === 0);
	const node = await startNode(t, url);
	const warnings: unknown[] = [];
	node.on('warning', (warning) => warnings.push(warning));
	await until('both are listed', async () => (await node.who(seed.id)).nodes.length === 2);
	await isGot(node, seed.id, root);
	assert.ok(warnings.length <= 2);
});

const WRONG_NUMBERS: Record<string, Record<string, unknown>> = {
	'has no index': { index: undefined },
	'has a shorter index': { index: 15 },
	'has a longer index': { index: 400_000 },
	'has MD5 digests': { kind: 'md5' },
};

for (const [what, about] of Object.entries(WRONG_NUMBERS)) {
	test(`a peer that says that the folder ${what} is not used`, async (t) => {
		const { url, root, seed } = await shared(t);
		const peer = await Peer.join(t, url);
		peer.serve(seed, {
			content: new Uint8Array(seed.length),
			about: { index: seed.index, ...about },
		});
		await peer.announce(seed);
		const node = await startNode(t, url);
		await until('both are listed', async () => (await node.who(seed.id)).nodes.length === 2);
		await isGot(node, seed.id, root);
	});
}

test('the download ends if its part folder is removed or moved meanwhile', async (t) => {
	for (const remove of [
		(part: string) => rm(part, { recursive: true }),
		(part: string) => rename(part, `${part}.moved`),
	]) {
		const { url, root, seed } = await shared(t);
		const node = await startNode(t, url, { maxDown: 400_000 });
		let have = 0;
		const getting = rejects(
			node.get(seed.id, {
				output: root,
				onProgress: (progress) => {
					have = progress.have;
				},
			}),
		);
		await until('some is there', () => have > 0);
		const name = (await readdir(root)).find((each) => each.endsWith('.part')) as string;
		await remove(join(root, name));
		const error = await getting;
		assert.is(error.code, 'ERR_NO_FILE', error.message);
		assert.not.ok(existsSync(join(root, 'folder')));
		node.limitRates(undefined, undefined);
		await isGot(node, seed.id, root);
	}
});

test('a folder that appears at the target meanwhile is not replaced, and verified chunks are kept', async (t) => {
	const { url, root, seed } = await shared(t);
	const node = await startNode(t, url, { maxDown: 600_000 });
	let have = 0;
	const onProgress = (progress: { have: number }): void => {
		have = progress.have;
	};
	const getting = rejects(node.get(seed.id, { output: root, onProgress }));
	await until('some is there', () => have > 0);
	await mkdir(join(root, 'folder'));
	await writeFile(join(root, 'folder', 'mine'), '');
	assert.is((await getting).code, 'ERR_EXISTS');
	assert.equal(await readdir(join(root, 'folder')), ['mine']);
	await rm(join(root, 'folder'), { recursive: true });
	const { kept, length, path } = await node.get(seed.id, { output: root });
	assert.is(kept, length);
	assert.equal(await linesIn(path), linesOf(TREE));
});

test.run();
