import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ChannelStore } from '../../../node/publish/channel-store.ts';
import { ChannelDocument, ShoalError } from '../../../protocol/index.ts';
import { verify } from '../../helpers/fixtures/channel-keys.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('store of channels');
const FIELDS = { name: 'lab', seq: 7, published: 0, until: 1, to: [], others: undefined, base: [] };

test('a channel is found as it was made, and only its owner can read its files', async (t) => {
	const store = new ChannelStore(await makeFolder(t));
	assert.equal(await store.names(), []);
	assert.is(await store.find('lab'), undefined);
	const made = await store.create('lab');
	const { channel } = made.chain;
	store.keep('lab', document(channel, made.sign));
	const found = await store.find('lab');
	assert.is(found?.chain.channel, channel);
	assert.is(found?.latest?.seq, 7);
	assert.ok(document(channel, found?.sign ?? made.sign).isSigned(made.chain, verify));
	assert.equal(await store.names(), ['lab']);
	for (const file of ['lab.key', 'lab.drawer', 'lab.keys', 'lab.latest']) {
		assert.is(statSync(join(store.folder, file)).mode & 0o777, 0o600, file);
	}
	assert.is((await rejects(store.create('../x'))).code, 'ERR_NAME');
});

test('the drawer key replaces both keys, also if the publishing key is lost', async (t) => {
	const store = new ChannelStore(await makeFolder(t));
	const made = await store.create('lab');
	store.keep('lab', document(made.chain.channel, made.sign));
	rmSync(join(store.folder, 'lab.key'));
	assert.match((await rejects(store.find('lab'))).message, 'shoal channel rotate');
	const rotated = await store.rotate('lab', made.drawer);
	assert.is(rotated.chain.channel, made.chain.channel);
	assert.is(rotated.chain.last, 1);
	assert.is(rotated.latest?.seq, 7);
	assert.is(rotated.drawer, join(store.folder, 'lab.drawer-1'));
	assert.is((await store.find('lab'))?.chain.last, 1);
	assert.is((await rejects(store.rotate('lab', made.drawer))).code, 'ERR_CHANNEL');
	const again = await store.rotate('lab', rotated.drawer);
	assert.is(again.chain.last, 2);
});

test('damaged and wrong files are told by their names', async (t) => {
	const store = new ChannelStore(await makeFolder(t));
	const { drawer } = await store.create('lab');
	const { chain, sign } = await store.create('other');
	const path = (name: string): string => join(store.folder, name);
	const key = readFileSync(path('lab.key'));
	writeFileSync(path('lab.key'), readFileSync(path('other.key')));
	assert.match((await rejects(store.find('lab'))).message, 'lab.key" is not the publishing key');
	writeFileSync(path('lab.key'), 'damaged');
	assert.match((await rejects(store.find('lab'))).message, 'no Ed25519 private key');
	writeFileSync(path('lab.key'), key);
	writeFileSync(path('lab.latest'), 'damaged');
	for (const work of [() => store.find('lab'), () => store.rotate('lab', drawer)]) {
		const error = await rejects(work());
		assert.is(error.code, 'ERR_CHANNEL');
		assert.match(error.message, 'lab.latest" is damaged');
	}
	writeFileSync(path('lab.latest'), document(chain.channel, sign).text);
	assert.match((await rejects(store.find('lab'))).message, 'is not signed by the keys');
	const keys = readFileSync(path('lab.keys'));
	writeFileSync(path('lab.keys'), 'damaged');
	for (const work of [
		() => store.find('lab'),
		() => store.rotate('lab', drawer),
		() => store.adopt('lab', chain),
	]) {
		const error = await rejects(work());
		assert.is(error.code, 'ERR_CHANNEL');
		assert.match(error.message, 'lab.keys" is damaged');
	}
	writeFileSync(path('lab.keys'), keys);
	assert.is((await rejects(store.rotate('lab', path('nothing')))).code, 'ERR_NO_FILE');
	assert.is((await rejects(store.rotate('nothing', drawer))).code, 'ERR_NOT_FOUND');
});

test('keys that cannot be written leave nothing, so that the next attempt makes the channel', async (t) => {
	const store = new ChannelStore(await makeFolder(t));
	const path = (name: string): string => join(store.folder, name);
	for (const file of ['lab.keys', 'lab.key']) {
		// A folder in its place: the file cannot be written.
		mkdirSync(path(file), { recursive: true });
		assert.instance(await rejects(store.create('lab')), ShoalError);
		assert.equal(readdirSync(store.folder), [file]);
		rmSync(path(file), { recursive: true });
	}
	await store.create('lab');
	assert.ok(await store.find('lab'));
});

test('a drawer key without the other keys is not replaced, and it is told what to do', async (t) => {
	const store = new ChannelStore(await makeFolder(t));
	const path = (name: string): string => join(store.folder, name);
	const { drawer, chain } = await store.create('lab');
	const keys = readFileSync(path('lab.keys'));
	rmSync(path('lab.key'));
	assert.match((await rejects(store.find('lab'))).message, 'shoal channel rotate "lab" --drawer');
	rmSync(path('lab.keys'));
	const before = readFileSync(drawer);
	const error = await rejects(store.create('lab'));
	assert.is(error.code, 'ERR_EXISTS');
	assert.match(
		error.message,
		'lab.drawer" is there, but the other keys of the channel "lab" are not',
	);
	assert.equal(readFileSync(drawer), before);
	// Its channel may have been published: the key blocks come from the broker then.
	await store.adopt('lab', chain);
	const rotated = await store.rotate('lab', drawer);
	assert.is(rotated.chain.last, 1);
	writeFileSync(path('lab.keys'), keys);
	const second = await rejects(store.rotate('lab', drawer));
	assert.is(second.code, 'ERR_EXISTS');
	assert.match(
		second.message,
		'lab.drawer-1" is there, but the key block 1 that belongs to it is not',
	);
});

test('work on one channel is done one after the other', async (t) => {
	const folder = await makeFolder(t);
	const order: string[] = [];
	const work = async (name: string): Promise<void> => {
		await new ChannelStore(folder).locked('lab', async () => {
			order.push(`${name} begins`);
			await new Promise((resolve) => setTimeout(resolve, 20));
			order.push(`${name} ends`);
		});
	};
	await Promise.all([work('a'), work('b')]);
	const [first] = order;
	assert.equal(order[1], first?.replace('begins', 'ends'));
});

function document(channel: string, sign: (text: Uint8Array) => Uint8Array): ChannelDocument {
	const fields = { ...FIELDS, channel, block: 0, seed: 'ab'.repeat(32) };
	return ChannelDocument.sign(fields, sign);
}

test.run();
