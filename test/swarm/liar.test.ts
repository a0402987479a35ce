import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeSeed } from '../../node/index.ts';
import { Liar } from '../helpers/adversaries/liar.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { Member } from '../helpers/harness/member.ts';
import { startNode } from '../helpers/harness/node.ts';
import { randomFile, sha256 } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('a liar');
const MIB = 1024 * 1024;
/** The most bytes that are requested from a node before its first chunk is verified. */
const FIRST_WINDOW = 512 * 1024;

test('T1: a lying seeder beside an honest one costs two chunks and one window, and is dropped', async (t) => {
	const { url } = await startBroker(t);
	const folder = await makeFolder(t);
	const path = join(folder, 'source.bin');
	const digest = await randomFile(path, 64 * MIB);
	const seed = await makeSeed(path);
	const file = await open(path);
	t.defer(() => file.close());
	const liar = await Liar.start(
		t,
		url,
		seed,
		async (offset, length) => {
			const bytes = Buffer.alloc(length);
			await file.read(bytes, 0, length, offset);
			return bytes;
		},
		() => true,
	);
	const story: Array<Record<string, unknown>> = [];
	const watcher = await Member.join(t, url);
	watcher.link.on('message', ({ topic, payload }) => {
		if (/\/event\/(chunk-refused|node-dropped)$/.test(topic)) {
			story.push(JSON.parse(Buffer.from(payload).toString()));
		}
	});
	await watcher.link.subscribe('shoal/1/event/+');
	const honest = await startNode(t, url, { maxUp: 40_000_000 });
	await honest.share(path);
	const node = await startNode(t, url);
	const warnings: unknown[] = [];
	node.on('warning', (error) => warnings.push(error));
	await until('both are listed', async () => (await node.who(seed.id)).nodes.length === 2);
	const { path: copy, sources } = await node.get(seed, { output: join(folder, 'copy.bin') });
	assert.is(await sha256(copy), digest);
	// Bytes that the honest seeder had to send again do not count, as only delays cause them.
	const wasted = node.received.total - honest.sent.total;
	console.log(`${liar.lies} lies, ${wasted / seed.layout.chunkSize} chunks wasted`);
	assert.equal(
		sources.map(({ node: from }) => from),
		[honest.id],
	);
	assert.ok(liar.lies > 0, 'the liar was used');
	assert.is(warnings.length, 2, 'two chunks were wrong');
	const said = { seed: seed.id, node: liar.id, by: node.id };
	await until('watchers know', () => story.length === 3);
	assert.equal(
		story.map(({ chunk, ...event }) => event),
		['chunk-refused', 'chunk-refused', 'node-dropped'].map((event) => ({ event, ...said })),
	);
	assert.ok(wasted <= 2 * seed.layout.chunkSize + FIRST_WINDOW, `${wasted} bytes`);
});

test.run();
