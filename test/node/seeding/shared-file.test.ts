import { readFile, rename, stat, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Share, ShoalNode } from '../../../node/index.ts';
import type { ByteRange } from '../../../protocol/index.ts';
import { FailingCalls } from '../../helpers/adversaries/failing-calls.ts';
import { Peer } from '../../helpers/adversaries/peer.ts';
import { makeFolder, openBelow } from '../../helpers/fixtures/folder.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { Member } from '../../helpers/harness/member.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('Share');
const content = contentOf(700_000);

interface Shared {
	readonly url: string;
	readonly path: string;
	readonly node: ShoalNode;
	readonly share: Share;
	readonly peer: Peer;
	readonly events: string[];
	readonly warnings: unknown[];
	listed(): Promise<string[]>;
}

async function shared(t: Scope): Promise<Shared> {
	const { url } = await startBroker(t);
	const path = await makeFile(t, content);
	const node = await startNode(t, url);
	const share = await node.share(path);
	const events: string[] = [];
	share.on('changed', () => events.push('changed'));
	share.on('restored', () => events.push('restored'));
	share.on('ended', (error) => events.push(`ended ${(error as { code: string }).code}`));
	const warnings: unknown[] = [];
	node.on('warning', (error) => warnings.push(error));
	const member = await Member.join(t, url);
	const listed = () => member.listed();
	await until('it is listed', async () => (await listed()).length === 1);
	return { url, path, node, share, peer: await Peer.join(t, url), events, warnings, listed };
}

const askOne = ({ peer, node, share }: Shared): string =>
	peer.ask(node.id, share.seed.id, [[0, 1_000]]);

test('a stopped share is withdrawn and not served, and its file is closed', async (t) => {
	const all = await shared(t);
	await all.share.stop();
	await all.share.stop();
	await until('it is withdrawn', async () => (await all.listed()).length === 0);
	askOne(all);
	await until('a refusal', () => all.peer.refusals.length === 1);
	assert.equal(all.peer.refusals, ['not-shared']);
	assert.equal(await openBelow(all.path), []);
	const again = await all.node.share(all.path);
	assert.is(again.seed.id, all.share.seed.id);
});

test('F14: requests for a touched file are refused as changed, and after hashing the file is shared again', async (t) => {
	const all = await shared(t);
	await utimes(all.path, 1, 1);
	askOne(all);
	await until('it is restored', () => all.events.includes('restored'));
	assert.equal(all.events, ['changed', 'restored']);
	assert.equal(all.peer.refusals, ['changed']);
	assert.is(all.warnings.length, 1);
	await until('it is listed', async () => (await all.listed()).length === 1);
	askOne(all);
	await until('the bytes', () => all.peer.received === 1_000);
	assert.equal(
		Buffer.from(all.peer.chunks[0]?.message.bytes ?? []),
		Buffer.from(content.subarray(0, 1_000)),
	);
});

test('F14: if a file is replaced by a file with the same bytes, the new file is served', async (t) => {
	const all = await shared(t);
	await writeFile(`${all.path}.new`, content);
	await rename(`${all.path}.new`, all.path);
	askOne(all);
	await until('it is restored', () => all.events.includes('restored'));
	askOne(all);
	await until('the bytes', () => all.peer.received === 1_000);
});

async function rewriteInSecret(path: string): Promise<void> {
	const { atime, mtime } = await stat(path);
	await writeFile(path, 'x', { flag: 'r+' });
	await utimes(path, atime, mtime);
}

async function replace(path: string): Promise<void> {
	await writeFile(`${path}.new`, contentOf(content.length + 1).subarray(1));
	await rename(`${path}.new`, path);
}

const ENDINGS: Record<string, readonly [(path: string) => Promise<unknown>, string]> = {
	'has other bytes': [(path) => writeFile(path, 'x', { flag: 'r+' }), 'ERR_CHANGED'],
	'is shorter': [(path) => truncate(path, 5_000), 'ERR_CHANGED'],
	'has another content and length': [(path) => writeFile(path, 'another one'), 'ERR_CHANGED'],
	'has other bytes and its old times': [rewriteInSecret, 'ERR_CHANGED'],
	'is replaced': [replace, 'ERR_CHANGED'],
	'is gone': [unlink, 'ERR_NO_FILE'],
	'has another name': [(path) => rename(path, `${path}.moved`), 'ERR_NO_FILE'],
};

for (const [what, [change, code]] of Object.entries(ENDINGS)) {
	test(`a file that ${what} is withdrawn after a request, and none of its bytes is sent`, async (t) => {
		const all = await shared(t);
		await change(all.path);
		askOne(all);
		await until('it has ended', () => all.events.length === 2);
		assert.equal(all.events, ['changed', `ended ${code}`]);
		await until('it is withdrawn', async () => (await all.listed()).length === 0);
		assert.equal(all.peer.refusals, ['changed']);
		askOne(all);
		await until('a refusal', () => all.peer.refusals.length === 2);
		assert.equal(all.peer.refusals, ['changed', 'not-shared']);
		assert.is(all.peer.received, 0);
		assert.equal(await openBelow(all.path), []);
	});
}

for (const [what, [change, code]] of Object.entries(ENDINGS)) {
	test(`a file that ${what} is withdrawn even without a request`, async (t) => {
		const all = await shared(t);
		await change(all.path);
		await until('it is withdrawn', async () => (await all.listed()).length === 0);
		await until('it has ended', () => all.events.length === 2);
		assert.equal(all.events, ['changed', `ended ${code}`]);
		assert.is(all.warnings.length, 1);
	});
}

test('F14: a downloaded file that is changed later is also withdrawn', async (t) => {
	const all = await shared(t);
	const node = await startNode(t, all.url);
	const { path } = await node.get(all.share.seed.id, { output: await makeFolder(t) });
	await all.share.stop();
	await until('one is listed', async () => (await all.listed())[0] === all.share.seed.id);
	await writeFile(path, 'x', { flag: 'r+' });
	await until('it is withdrawn', async () => (await all.listed()).length === 0);
});

test('F14: a seeder whose file changes and changes back is not dropped, and no wrong byte is stored', async (t) => {
	const all = await shared(t);
	all.node.limitRates(200_000, undefined);
	const node = await startNode(t, all.url);
	const warnings: string[] = [];
	node.on('warning', (error) => warnings.push((error as Error).message));
	const getting = node.get(all.share.seed.id, { output: await makeFolder(t), wait: true });
	await until('bytes come', () => node.received.total > 0);
	await writeFile(
		all.path,
		content.map((byte) => byte ^ 1),
	);
	await until('it has ended', () => all.events.length === 2);
	assert.equal(all.events, ['changed', 'ended ERR_CHANGED']);
	await writeFile(all.path, content);
	all.node.limitRates(undefined, undefined);
	await all.node.share(all.path);
	const { path, sources } = await getting;
	assert.ok((await readFile(path)).equals(content));
	assert.equal(
		sources.map(({ node }) => node),
		[all.node.id],
	);
	assert.is(sources[0]?.bytes, content.length);
	assert.equal(
		warnings.filter((message) => /wrong/.test(message)),
		[],
	);
});

test('F14: a download continues from another seeder when the file of one seeder changes', async (t) => {
	const all = await shared(t);
	const other = await startNode(t, all.url);
	await other.share(await makeFile(t, content));
	await writeFile(all.path, 'x', { flag: 'r+' });
	const node = await startNode(t, all.url);
	const { path } = await node.get(all.share.seed.id, { output: await makeFolder(t) });
	assert.ok((await readFile(path)).equals(content));
});

test('a folder stays shared while the system has no descriptors for its files, and requests are refused as busy', async (t) => {
	const { url } = await startBroker(t);
	const path = await makeFolder(t);
	await writeFile(join(path, 'one'), content);
	const node = await startNode(t, url);
	const share = await node.share(path);
	const events: string[] = [];
	share.on('changed', () => events.push('changed'));
	share.on('ended', () => events.push('ended'));
	const warnings: string[] = [];
	node.on('warning', (error) => warnings.push((error as { code: string }).code));
	const peer = await Peer.join(t, url);
	const calls = new FailingCalls(t, path, true);
	calls.decide = (name) => (/^open/.test(name) ? 'EMFILE' : undefined);
	const last: ByteRange = [share.seed.length - 1_000, 1_000];
	for (let refusals = 1; refusals < 8; refusals += 1) {
		peer.ask(node.id, share.seed.id, [last]);
		await until('a refusal', () => peer.refusals.length === refusals);
	}
	assert.equal(new Set(peer.refusals), new Set(['busy']));
	assert.equal(warnings, ['ERR_IO', 'ERR_IO', 'ERR_IO'], 'at the first, second and fourth');
	calls.decide = () => undefined;
	peer.ask(node.id, share.seed.id, [last]);
	await until('the bytes', () => peer.received === 1_000);
	assert.equal(events, []);
});

test('a second share of the same content in a node is ERR_EXISTS, and its file is closed', async (t) => {
	const all = await shared(t);
	const copy = await makeFile(t, content, 'copy.bin');
	assert.is((await rejects(all.node.share(copy))).code, 'ERR_EXISTS');
	assert.equal(await openBelow(copy), []);
});

test('a share that is stopped while its file is hashed again is not restored', async (t) => {
	const { url } = await startBroker(t);
	const path = await makeFile(t, '');
	await truncate(path, 60_000_000);
	const node = await startNode(t, url);
	const share = await node.share(path);
	const peer = await Peer.join(t, url);
	const events: string[] = [];
	share.on('changed', () => events.push('changed'));
	share.on('restored', () => events.push('restored'));
	share.on('ended', () => events.push('ended'));
	await utimes(path, 1, 1);
	const before = openResources();
	peer.ask(node.id, share.seed.id, [[0, 10]]);
	await until('it is hashed', () => events.length === 1);
	await share.stop();
	await nothingLeftOpen(before);
	assert.equal(events, ['changed']);
	assert.equal(await openBelow(path), []);
});

test('a node that is closed while it hashes shares nothing, and nothing stays open', async (t) => {
	const { url } = await startBroker(t);
	const path = await makeFile(t, '');
	await truncate(path, 40_000_000);
	const before = openResources();
	const node = await startNode(t, url);
	let closing: Promise<void> | undefined;
	const error = await rejects(
		node.share(path, {
			onBytes: () => {
				closing ??= node.close();
			},
		}),
	);
	assert.is(error.code, 'ERR_CLOSED');
	await closing;
	await nothingLeftOpen(before);
	assert.equal(await openBelow(path), []);
});

test.run();
