import { readdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as assert from 'uvu/assert';
import { ShoalNode } from '../../node/index.ts';
import { Share } from '../../node/seeding/shared-file.ts';
import { ContentStore } from '../../node/storage/content-store.ts';
import { FileStorage } from '../../node/storage/file-storage.ts';
import { acceptOnly, startFakeBroker } from '../helpers/adversaries/fake-broker.ts';
import { openBelow } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { channelRig } from '../helpers/harness/channel-rig.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { nothingLeftOpen, openResources } from '../helpers/harness/open-resources.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('what a node has stopped');

/** Waits until `made` is not kept in memory any more. */
async function isFreed(made: WeakRef<object>): Promise<void> {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;
	const isCollected = (): boolean => {
		collect();
		return made.deref() === undefined;
	};
	await until('it is collected', isCollected, 20_000);
}

async function started(t: Scope) {
	const { url } = await startBroker(t);
	return { node: await startNode(t, url), path: await makeFile(t, 'a content') };
}

/** Makes the close of a file last long. */
function closeLate(t: Scope): void {
	const { close } = FileStorage.prototype;
	FileStorage.prototype.close = async function (this: FileStorage) {
		await setTimeout(500);
		await close.call(this);
	};
	t.defer(() => {
		FileStorage.prototype.close = close;
	});
}

test('a node that is closed while a share stops has no file open', async (t) => {
	const { node, path } = await started(t);
	const share = await node.share(path);
	assert.is((await openBelow(dirname(path))).length, 1);
	closeLate(t);
	void share.stop();
	await node.close();
	assert.equal(await openBelow(dirname(path)), []);
});

test('a node that could not join has nothing open', async (t) => {
	const broker = await startFakeBroker(t, (packet, reply, socket) => {
		acceptOnly(packet, reply, socket);
		if (packet.cmd === 'subscribe') {
			reply({ cmd: 'suback', messageId: packet.messageId as number, granted: [0] });
		} else if (packet.cmd === 'publish') {
			socket.destroy();
		}
	});
	const before = openResources();
	const error = await rejects(ShoalNode.start({ broker: broker.url }));
	assert.is(error.code, 'ERR_DISCONNECTED');
	await nothingLeftOpen(before);
});

test('a node that is closed meanwhile does not begin to follow', async (t) => {
	const { publish, folder, url } = await channelRig(t);
	const { link } = await publish();
	const node = await startNode(t, url);
	const following = rejects(node.follow(link, `${folder}/pc`, { data: `${folder}/state` }));
	await node.close();
	assert.is((await following).code, 'ERR_CLOSED');
	assert.equal(await readdir(`${folder}/pc/.shoal`), ['place']);
});

test('a share that is being stopped is not used for a publication any more', async (t) => {
	const contents = new ContentStore();
	const share = await Share.start(contents, await makeFile(t, Buffer.alloc(100_000, 'a')));
	assert.ok(share.isIn(contents));
	const stopped = share.stop();
	assert.not(share.isIn(contents));
	await stopped;
});

test('a share that was stopped is not kept in memory', async (t) => {
	const { node, path } = await started(t);
	const stopped = await (async () => {
		const share = await node.share(path);
		await share.stop();
		return new WeakRef(share);
	})();
	await isFreed(stopped);
});

test('a share that has ended because its file is gone is not kept in memory', async (t) => {
	const { node, path } = await started(t);
	const ended = await (async () => {
		const share = await node.share(path);
		const over = new Promise<void>((resolve) => share.on('ended', () => resolve()));
		await rm(path);
		await over;
		return new WeakRef(share);
	})();
	await isFreed(ended);
});

test('a publication that was stopped is not kept in memory, once its version is not shared any more', async (t) => {
	const { publish } = await channelRig(t);
	const stopped = await (async () => {
		const publication = await publish();
		await publication.stop();
		await publication.share.stop();
		return new WeakRef(publication);
	})();
	await isFreed(stopped);
});

test('a following that was stopped is not kept in memory', async (t) => {
	const { publish, folder, url } = await channelRig(t);
	const { link } = await publish();
	const node = await startNode(t, url);
	const stopped = await (async () => {
		const following = await node.follow(link, `${folder}/pc`, { data: `${folder}/state` });
		await following.stop();
		return new WeakRef(following);
	})();
	await isFreed(stopped);
});

test.run();
