import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('lost keys of channels');
const LIFE = 86_400_000;

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

test.run();
