import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeSeed } from '../../node/index.ts';
import { isShoalError } from '../../protocol/index.ts';
import { type Silence, silentPeers } from '../helpers/adversaries/silent-peers.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('nodes that answer and never deliver');

/** A node that downloads, beside five silent ones that the tracker lists first and two honest ones. */
async function start(t: Scope, { silence, length }: { silence: Silence; length: number }) {
	const { url } = await startBroker(t, { limits: { part: 1_024 } });
	const content = contentOf(length);
	const path = await makeFile(t, content);
	const seed = await makeSeed(path);
	await silentPeers(t, url, seed, { count: 5, silence });
	for (let index = 0; index < 2; index += 1) {
		await (await startNode(t, url)).share(path);
	}
	const node = await startNode(t, url);
	const warnings: unknown[] = [];
	node.on('warning', (error) => warnings.push(error));
	return { content, seed, node, warnings };
}

for (const silence of ['all', 'drips', 'chunks'] as const) {
	for (const length of [1_000, 100_000]) {
		test(`T30: a file of ${length} bytes comes before anybody is given up (silent: ${silence})`, async (t) => {
			const { content, seed, node, warnings } = await start(t, { silence, length });
			const { path } = await node.get(seed.id, { output: join(await makeFolder(t), 'copy') });
			assert.ok((await readFile(path)).equals(content));
			assert.is(warnings.filter((error) => isShoalError(error, 'ERR_TIMEOUT')).length, 0);
		});
	}
}

test('T30: what is read while it comes is not held up either', async (t) => {
	const { content, seed, node, warnings } = await start(t, { silence: 'all', length: 100_000 });
	const chunks: Buffer[] = [];
	for await (const chunk of node.stream(seed.id)) {
		chunks.push(chunk as Buffer);
	}
	assert.ok(Buffer.concat(chunks).equals(content));
	assert.is(warnings.filter((error) => isShoalError(error, 'ERR_TIMEOUT')).length, 0);
});

test.run();
