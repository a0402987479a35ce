import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { rollBack } from '../../node/channel/place/releases.ts';
import { CommandFailure } from '../../node/index.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { ChannelClient } from '../helpers/harness/channel-client.ts';
import { channelRig } from '../helpers/harness/channel-rig.ts';
import { startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('followed channels');

const read = (folder: string, path: string): string => readFileSync(join(folder, path), 'utf8');

test('a follower has each version, keeps what people changed, and shares what it has', async (t) => {
	const { publish, follow, image, publisher } = await channelRig(t);
	const { link, share } = await publish();
	const machine = await follow(link, 'pc-1');
	const first = await machine.has(1);
	assert.is(first.id, share.seed.id);
	assert.is(read(machine.folder, 'a.txt'), 'one');
	writeFileSync(join(machine.folder, 'sub', 'mine.txt'), 'added');
	writeFileSync(join(machine.folder, 'a.txt'), 'changed by somebody');
	writeFileSync(join(image, 'a.txt'), 'two');
	await until('the copy is shared', () => publisher.stats().seeds.whole > 0);
	await publish();
	const second = await machine.has(2);
	assert.is(read(machine.folder, 'a.txt'), 'two');
	assert.is(read(machine.folder, 'a.txt.mine-2'), 'changed by somebody');
	assert.is(read(machine.folder, 'sub/mine.txt'), 'added');
	assert.equal(second.kept, ['a.txt.mine-2']);
	assert.ok(second.fetched < 300_000, `${second.fetched} bytes fetched`);
	await publisher.close();
	const other = await follow(link, 'pc-2');
	await other.has(2);
	assert.is(read(other.folder, 'a.txt'), 'two');
});

test('a follower that was off has the newest version at once, and takes no older one', async (t) => {
	const { publish, follow, image, url } = await channelRig(t);
	const { link, document: first } = await publish();
	const machine = await follow(link, 'pc-1');
	await machine.has(1);
	await machine.node.close();
	writeFileSync(join(image, 'a.txt'), 'two');
	await publish();
	const back = await follow(link, 'pc-1');
	const begun = performance.now();
	await until('the newest document', () => back.following.newest?.seq === 2, 1_000);
	assert.ok(performance.now() - begun < 1_000);
	await back.has(2);
	const refused: unknown[] = [];
	back.following.on('refused', ({ reason, seq }) => refused.push([reason, seq]));
	const replayer = await ChannelClient.join(t, url);
	await replayer.document(first);
	await until('the replay is refused', () => refused.length > 0);
	assert.equal(refused, [['older', 1]]);
	assert.is(read(back.folder, 'a.txt'), 'two');
});

test('a node that looks at the fleet of a channel for a while still follows the channel', async (t) => {
	const { publish, follow, image } = await channelRig(t);
	const { link } = await publish();
	const machine = await follow(link, 'pc-1');
	await machine.has(1);
	const fleet = await machine.node.fleet(link);
	await fleet.close();
	writeFileSync(join(image, 'a.txt'), 'two');
	await publish();
	await machine.has(2);
});

test('while it is not clear whether another process follows into the folder, the node warns once', async (t) => {
	const { publish, folder, url } = await channelRig(t);
	const { link, channel } = await publish();
	const into = join(folder, 'pc-1');
	const lock = join(into, '.shoal', 'lock');
	mkdirSync(dirname(lock), { recursive: true });
	// The lock of a follower in another container.
	const scope = '00000000-0000-4000-8000-000000000000/1';
	writeFileSync(lock, `shoal-lock 1 token ${channel} 2167 ${scope} 5\n`);
	const node = await startNode(t, url);
	const told: string[] = [];
	node.on('warning', (error) => told.push((error as Error).message));
	const following = node.follow(link, into, { data: join(folder, 'state') });
	await until('the node warns', () => told.length > 0);
	assert.match(told[0] as string, 'waiting up to 10 seconds until it is clear');
	rmSync(lock);
	await (await following).stop();
	assert.is(told.length, 1);
});

test('the iterator of a following yields the versions, and ends when it is stopped', async (t) => {
	const { publish, follow } = await channelRig(t);
	const { link } = await publish();
	const { following } = await follow(link, 'pc-1');
	const seen: number[] = [];
	for await (const { seq } of following) {
		seen.push(seq);
		void following.stop();
	}
	assert.equal(seen, [1]);
});

test('a file is followed as well, also under another name', async (t) => {
	const { publisher, folder, follow } = await channelRig(t);
	const data = join(folder, 'state');
	writeFileSync(join(folder, 'model-1.bin'), 'first');
	writeFileSync(join(folder, 'model-2.bin'), 'second');
	const { link } = await publisher.publish(join(folder, 'model-1.bin'), { channel: 'm', data });
	const machine = await follow(link, 'pc-1');
	const { path } = await machine.has(1);
	assert.is(path, join(machine.folder, 'model-1.bin'));
	await publisher.publish(join(folder, 'model-2.bin'), { channel: 'm', data });
	await machine.has(2);
	assert.is(read(machine.folder, 'model-2.bin'), 'second');
	assert.not(existsSync(join(machine.folder, 'model-1.bin')));
});

test('two followers of one folder, two channels in one folder, and a file are refused', async (t) => {
	const { publish, follow, url, folder, publisher, image } = await channelRig(t);
	const data = join(folder, 'state');
	const { link } = await publish();
	const machine = await follow(link, 'pc-1');
	await machine.has(1);
	const second = await startNode(t, url);
	assert.is((await rejects(second.follow(link, machine.folder, { data }))).code, 'ERR_EXISTS');
	await machine.node.close();
	rmSync(join(image, 'sub'), { recursive: true });
	const other = await publisher.publish(image, { channel: 'other', data });
	assert.is(
		(await rejects(second.follow(other.link, machine.folder, { data }))).code,
		'ERR_EXISTS',
	);
	const file = await rejects(second.follow(link, join(image, 'a.txt'), { data }));
	assert.is(file.code, 'ERR_FOLDER');
	assert.match(file.message, 'a.txt" is no folder; name the folder');
	assert.is(read(image, 'a.txt'), 'one');
});

test('a command that fails is a receipt with its code, and is run again only after a restart', async (t) => {
	const { publish, follow, publisher, image } = await channelRig(t);
	const { link } = await publish();
	let runs = 0;
	const run = async (): Promise<void> => {
		runs += 1;
		throw new CommandFailure('EXIT_3', 'it failed');
	};
	const machine = await follow(link, 'pc-1', { run, groups: ['lab-2'] });
	const fleet = await publisher.fleet(link);
	await until('the receipt', () => fleet.members[0]?.state === 'failed');
	const [member] = fleet.members;
	assert.equal(
		[member?.name, member?.code, member?.groups, member?.isCurrent],
		['pc-1', 'EXIT_3', ['lab-2'], false],
	);
	await publish();
	await new Promise((resolve) => setTimeout(resolve, 300));
	assert.is(runs, 1);
	await machine.node.close();
	const again = await follow(link, 'pc-1', { run });
	await until('the command after the restart', () => runs === 2);
	writeFileSync(join(image, 'a.txt'), 'two');
	await publish();
	await until('the command of the next version', () => runs === 3);
	await again.node.close();
});

test('a command that was interrupted is run again after the restart', async (t) => {
	const { publish, follow } = await channelRig(t);
	const { link } = await publish();
	let runs = 0;
	const hang = async (_: unknown, signal: AbortSignal): Promise<void> => {
		runs += 1;
		await new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
	};
	const machine = await follow(link, 'pc-1', { run: hang });
	await until('the command', () => runs === 1);
	await machine.node.close();
	const count = async (): Promise<void> => {
		runs += 1;
	};
	const again = await follow(link, 'pc-1', { run: count });
	await again.has(1);
	assert.is(runs, 2);
	assert.is(again.applied[0]?.fetched, 0);
});

test('keys that were rotated twice while a follower was off are followed, and the old key is refused', async (t) => {
	const { publish, follow, publisher, folder, url } = await channelRig(t);
	const data = join(folder, 'state');
	const drawer = join(data, 'channels', 'lab.drawer');
	const { link, document: old } = await publish();
	const machine = await follow(link, 'pc-1');
	await machine.has(1);
	await machine.node.close();
	const life = 86_400_000;
	const once = await publisher.rotateChannel('lab', { drawer, data, life });
	assert.is(
		(await rejects(publisher.rotateChannel('lab', { drawer, data, life }))).code,
		'ERR_CHANNEL',
	);
	await publisher.rotateChannel('lab', { drawer: once.drawer, data, life });
	const back = await follow(link, 'pc-1');
	await until('the new keys', () => back.following.newest?.block === 2);
	const refused: string[] = [];
	back.following.on('refused', ({ reason }) => refused.push(reason));
	const thief = await ChannelClient.join(t, url);
	await thief.document(old);
	await until('the thief is refused', () => refused.length > 0);
	assert.equal(refused, ['older']);
	assert.is((await publish()).document.block, 2);
});

test('of two publishers with one key, the first notices the second, and only shares', async (t) => {
	const { publish, folder, image, url } = await channelRig(t);
	const one = await publish();
	const superseded: number[] = [];
	one.on('superseded', ({ seq }) => superseded.push(seq));
	writeFileSync(join(image, 'a.txt'), 'two');
	const second = await startNode(t, url);
	const two = await second.publish(image, { channel: 'lab', data: join(folder, 'state') });
	assert.is(two.document.seq, 2);
	await until('the first one notices', () => superseded.length > 0);
	assert.equal(superseded, [2]);
});

test('a folder that is edited in place is still shared as it was published', async (t) => {
	const { publish, follow, image } = await channelRig(t);
	const publication = await publish();
	let copy = '';
	publication.on('copyShared', (path) => {
		copy = path;
	});
	await new Promise((resolve) => setTimeout(resolve, 500));
	writeFileSync(join(image, 'a.txt'), 'edited, not published');
	await until('the copy is shared', () => copy !== '');
	const machine = await follow(publication.link, 'pc-1');
	await machine.has(1);
	assert.is(read(machine.folder, 'a.txt'), 'one');
});

test('a document that has expired is not followed, and a renewed one is', async (t) => {
	const { publish, follow, publisher } = await channelRig(t);
	const { link, document } = await publish({ life: 1 });
	await new Promise((resolve) => setTimeout(resolve, 10));
	const machine = await follow(link, 'pc-1');
	const refused: unknown[] = [];
	machine.following.on('refused', ({ reason }) => refused.push(reason));
	await until('it is refused', () => refused.length > 0);
	assert.equal(refused, ['expired']);
	assert.is(document.seq, 1);
	await publisher.close();
	const other = await channelRig(t);
	const renewed = await other.publish({ life: 1_000 });
	await until('it is renewed', () => renewed.document.seq >= 2);
	assert.ok(renewed.document.until > document.until);
});

test('a channel with another name than in the link is refused', async (t) => {
	const { publish, follow } = await channelRig(t);
	const { link } = await publish();
	const machine = await follow(link.replace('name=lab', 'name=other'), 'pc-1');
	const refused: unknown[] = [];
	machine.following.on('refused', ({ reason }) => refused.push(reason));
	await until('it is refused', () => refused.length > 0);
	assert.equal(refused, ['name']);
});

test('a closed channel is told, its followers keep what they have, and it can be opened again', async (t) => {
	const { publish, follow, publisher, folder, image } = await channelRig(t);
	const { link } = await publish();
	const machine = await follow(link, 'pc-1');
	await machine.has(1);
	let closed = 0;
	machine.following.on('closed', ({ seq }) => {
		closed = seq;
	});
	await publisher.closeChannel('lab', { data: join(folder, 'state'), life: 86_400_000 });
	await until('it is closed', () => closed === 2);
	assert.is(read(machine.folder, 'a.txt'), 'one');
	writeFileSync(join(image, 'a.txt'), 'three');
	await publish();
	await machine.has(3);
});

test('a broker that was restarted gets the document back, and followers go on', async (t) => {
	const { folder, image } = await channelRig(t);
	const data = join(folder, 'state');
	const broker = await startBroker(t);
	const publisher = await startNode(t, broker.url);
	const { link } = await publisher.publish(image, { channel: 'lab', data });
	const { port } = broker;
	await broker.close();
	await startBroker(t, { port });
	const node = await startNode(t, broker.url);
	const following = await node.follow(link, join(folder, 'pc-9'), { data });
	let seq = 0;
	following.on('applied', (update) => {
		seq = update.seq;
	});
	await until('the version is applied', () => seq === 1);
});

test('a version that was rolled back is not taken again when its document is published again', async (t) => {
	const { publish, follow, image } = await channelRig(t);
	const { link } = await publish();
	const machine = await follow(link, 'pc-1', { releases: 2 });
	await machine.has(1);
	writeFileSync(join(image, 'a.txt'), 'two');
	await publish();
	await machine.has(2);
	await machine.node.close();
	assert.is((await rollBack(machine.folder)).seq, 1);
	await publish();
	const back = await follow(link, 'pc-1', { releases: 2 });
	await until('the newest document', () => back.following.newest?.seq === 3);
	await new Promise((resolve) => setTimeout(resolve, 300));
	assert.is(read(machine.folder, 'current/a.txt'), 'one');
	writeFileSync(join(image, 'a.txt'), 'three');
	await publish();
	await back.has(4);
	assert.is(read(machine.folder, 'current/a.txt'), 'three');
});

test('a rollback is over when the publisher has gone back too: the version is taken if it is published again', async (t) => {
	const { follow, image, url, folder } = await channelRig(t);
	/** Publishes with another node, because one node cannot share the same version twice. */
	const publish = async (text: string) => {
		writeFileSync(join(image, 'a.txt'), text);
		const node = await startNode(t, url);
		return await node.publish(image, { channel: 'lab', data: join(folder, 'state') });
	};
	const { link } = await publish('one');
	const machine = await follow(link, 'pc-1', { releases: 2 });
	await machine.has(1);
	const two = await publish('two');
	await machine.has(2);
	await machine.node.close();
	await rollBack(machine.folder);
	const back = await follow(link, 'pc-1', { releases: 2 });
	await publish('one');
	const { path, fetched } = await back.has(3);
	assert.equal([path, fetched], [join(machine.folder, 'releases', '1'), 0]);
	await publish('two');
	assert.is((await back.has(4)).id, two.share.seed.id);
	assert.is(read(machine.folder, 'current/a.txt'), 'two');
});

test.run();
