import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('chunks larger than a part');
const KIB = 1024;

test('a chunk larger than a part reaches all subscribers with one message per part', async (t) => {
	const limits = { part: 64 * KIB };
	const { url } = await startBroker(t, { limits });
	const content = Buffer.from(contentOf(8 * KIB * KIB));
	let sent = 0;
	const trace = (event: { event: string; length?: number }) => {
		sent += event.event === 'sent' ? (event.length as number) : 0;
	};
	const settings = { lane: 'broker', limits } as const;
	const seeder = await startNode(t, url, { ...settings, trace, maxUp: 6_000_000 });
	const { seed } = await seeder.share(await makeFile(t, content));
	assert.is(seed.layout.chunkSize, 256 * KIB);
	const folder = await makeFolder(t);
	const copies = Array.from({ length: 4 }, async (_, index) => {
		const node = await startNode(t, url, settings);
		const output = join(folder, `${index}`);
		await node.get(seed.id, { output });
		assert.ok(content.equals(await readFile(output)));
	});
	await Promise.all(copies);
	assert.ok(sent < 1.5 * content.length, `${(sent / content.length).toFixed(2)} copies to four`);
});

test.run();
