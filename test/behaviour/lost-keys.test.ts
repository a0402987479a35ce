import {
	copyFileSync,
	cpSync,
	existsSync,
	mkdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Tracker } from '../../broker/index.ts';
import { ChannelStore } from '../../node/publish/channel-store.ts';
import type { KeyChain } from '../../protocol/index.ts';
import { startUnsureBroker } from '../helpers/adversaries/unsure-broker.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { ChannelClient, retainedOf } from '../helpers/harness/channel-client.ts';
import { channelRig } from '../helpers/harness/channel-rig.ts';
import { startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('lost keys of channels');
const LIFE = 86_400_000;

/** Checks that the broker has these keys of a channel, and no others. */
async function isOnBroker(t: Scope, url: string, { channel, text }: KeyChain): Promise<void> {
	const { chains } = await retainedOf(t, url, channel);
	assert.ok(chains.length > 0);
	for (const chain of chains) {
		assert.equal(Buffer.from(chain), Buffer.from(text));
	}
}

test('if all files of a channel are lost, its drawer key and its link are enough to publish again', async (t) => {
	const folder = await makeFolder(t);
	const { url } = await startBroker(t);
	const [image, dir, drawer] = [join(folder, 'image'), join(folder, 'dir'), join(folder, 'usb')];
	mkdirSync(image);
	writeFileSync(join(image, 'a.txt'), 'one');
	const lost = await startNode(t, url);
	const { link } = await lost.publish(image, { channel: 'lab', data: join(folder, 'lost') });
	copyFileSync(join(folder, 'lost/channels/lab.drawer'), drawer);
	const follower = await startNode(t, url);
	await follower.follow(link, dir, { data: join(folder, 'follower') });
	const read = (): string => {
		try {
			return readFileSync(join(dir, 'a.txt'), 'utf8');
		} catch {
			return '';
		}
	};
	await until('the first version', () => read() === 'one');
	await lost.close();
	const data = join(folder, 'new');
	const node = await startNode(t, url);
	const options = { drawer, data, life: LIFE };
	const rotated = await node.rotateChannel(link, options);
	// The version on the broker may be that of a thief, so it is not signed again.
	assert.equal([rotated.name, rotated.chain.last, rotated.document], ['lab', 1, undefined]);
	// So the old publishing key is of no use any more, also before the next version is published.
	await isOnBroker(t, url, rotated.chain);
	writeFileSync(join(image, 'a.txt'), 'two');
	const again = await node.publish(image, { channel: 'lab', data });
	assert.equal([again.link, again.document.block, again.document.seq], [link, 1, 1]);
	await until('the second version', () => read() === 'two');

	const old = await rejects(node.rotateChannel(link, options));
	assert.is(old.code, 'ERR_CHANNEL');
	const other = link.replace(/id=[0-9a-f]{64}/, `id=${'0'.repeat(64)}`);
	assert.is((await rejects(node.rotateChannel(other, options))).code, 'ERR_NOT_FOUND');
	const second = await node.publish(image, { channel: 'lab', data: join(folder, 'third') });
	const taken = await rejects(node.rotateChannel(second.link, options));
	assert.is(taken.code, 'ERR_EXISTS');
});

/** A channel that is published at `url`, and copies of its files on two machines. */
async function twoMachines(t: Scope, url: string) {
	const { publish, publisher: node, folder } = await channelRig(t, url);
	const { link } = await publish();
	const [ann, bob] = [join(folder, 'ann'), join(folder, 'bob')];
	cpSync(join(folder, 'state'), ann, { recursive: true });
	cpSync(join(folder, 'state'), bob, { recursive: true });
	const first = join(ann, 'channels', 'lab.drawer');
	const rotate = (channel: string, data: string, drawer: string) =>
		node.rotateChannel(channel, { data, drawer, life: LIFE });
	return { link, ann, bob, first, rotate };
}

test('keys that were rotated on one machine are not rotated from the old block on another', async (t) => {
	const { url } = await startBroker(t);
	const { ann, bob, first, rotate } = await twoMachines(t, url);
	const { drawer } = await rotate('lab', ann, first);
	const key = join(bob, 'channels', 'lab.key');
	const before = readFileSync(key, 'utf8');
	const refused = await rejects(rotate('lab', bob, first));
	assert.is(refused.code, 'ERR_CHANNEL');
	assert.match(refused.message, 'it is that of key block 0, and the newest is 1');
	assert.is(readFileSync(key, 'utf8'), before);
	assert.not.ok(existsSync(join(bob, 'channels', 'lab.drawer-1')));
	// The version that bob has may be older than that of the followers, so it is not signed again.
	const rotated = await rotate('lab', bob, drawer);
	assert.equal([rotated.chain.last, rotated.document], [2, undefined]);
	await new ChannelStore(bob).create('new');
	const alone = await rotate('new', bob, join(bob, 'channels', 'new.drawer'));
	assert.equal([alone.chain.last, alone.document], [1, undefined]);
	await isOnBroker(t, url, rotated.chain);
	await isOnBroker(t, url, alone.chain);
});

test('keys that were rotated twice, on two machines, are told, and can be mended', async (t) => {
	// This broker retains whatever it gets.
	const { url } = await startUnsureBroker(t);
	const tracker = await Tracker.start({ url });
	t.defer(() => tracker.close());
	const { link, ann, bob, first, rotate } = await twoMachines(t, url);
	const right = await rotate('lab', ann, first);
	const wrong = await new ChannelStore(bob).rotate('lab', first);
	for (const [channel, drawer] of [
		['lab', wrong.drawer],
		[link, right.drawer],
	] as const) {
		const refused = await rejects(rotate(channel, bob, drawer));
		assert.is(refused.code, 'ERR_CHANNEL');
		assert.match(refused.message, 'has other key blocks than the broker');
	}
	await (await ChannelClient.join(t, url)).keys(wrong.chain);
	assert.is(
		(await rotate('lab', ann, right.drawer)).chain.last,
		2,
		'the wrong blocks do not stop it',
	);
	rmSync(join(bob, 'channels'), { recursive: true });
	const next = await rotate(link, bob, join(ann, 'channels', 'lab.drawer-2'));
	assert.is(next.chain.last, 3);
});

test('keys that were replaced, but not published, are told with the new drawer key', async (t) => {
	const unsure = await startUnsureBroker(t);
	const { first, ann, link, rotate } = await twoMachines(t, unsure.url);
	unsure.faults.drops = ({ topic }) => {
		const isOfKeys = topic.includes('/keys/');
		if (isOfKeys) {
			void unsure.stop();
		}
		return isOfKeys;
	};
	const drawer = join(ann, 'channels', 'lab.drawer-1');
	const error = await rejects(rotate('lab', ann, first));
	assert.is(error.code, 'ERR_DISCONNECTED');
	assert.match(
		error.message,
		'the channel "lab" were replaced on this machine, but it is not certain',
	);
	assert.match(error.message, `rotate again with the new drawer key, "${drawer}"`);
	const { url } = await startBroker(t);
	const node = await startNode(t, url);
	const published = await node.publish(join(ann, '..', 'image'), { channel: 'lab', data: ann });
	assert.equal([published.link.split('&')[0], published.document.block], [link.split('&')[0], 1]);
	await isOnBroker(t, url, (await new ChannelStore(ann).keys('lab')) as KeyChain);
	const rotated = await node.rotateChannel('lab', { data: ann, drawer, life: LIFE });
	assert.equal([rotated.chain.last, rotated.document?.seq], [2, 1]);
});

test.run();
