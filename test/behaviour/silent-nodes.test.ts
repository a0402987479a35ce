import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { HttpServer } from '../../broker/index.ts';
import { gatewayRoute } from '../../node/gateway/gateway.ts';
import { makeSeed } from '../../node/index.ts';
import { isShoalError } from '../../protocol/index.ts';
import { silentLane } from '../helpers/adversaries/silent-lane.ts';
import { type Silence, silentPeers } from '../helpers/adversaries/silent-peers.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('nodes that answer and never deliver');

/** A downloader, five silent peers that the tracker lists first, and two honest seeders. */
async function start(
	t: Scope,
	{
		silence,
		length,
		lane,
		letIn,
	}: {
		silence: Silence;
		length: number;
		lane?: string | undefined;
		letIn?: boolean | undefined;
	},
) {
	const { url } = await startBroker(t, { limits: { part: 1_024 } });
	const content = contentOf(length);
	const path = await makeFile(t, content);
	const seed = await makeSeed(path);
	await silentPeers(t, url, seed, { count: 5, silence, lane, letIn });
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
		test(`T30: a file of ${length} bytes is complete before any peer times out (silent: ${silence})`, async (t) => {
			const { content, seed, node, warnings } = await start(t, { silence, length });
			const { path } = await node.get(seed.id, { output: join(await makeFolder(t), 'copy') });
			assert.ok((await readFile(path)).equals(content));
			assert.is(warnings.filter((error) => isShoalError(error, 'ERR_TIMEOUT')).length, 0);
		});
	}
}

for (const kind of ['mute', 'deaf'] as const) {
	test(`T30: a file is complete beside nodes that accept direct lanes but answer nothing there (${kind})`, async (t) => {
		const lane = await silentLane(t, kind);
		const about = { silence: 'all', length: 100_000, lane } as const;
		const { content, seed, node, warnings } = await start(t, about);
		const { path } = await node.get(seed.id, { output: join(await makeFolder(t), 'copy') });
		assert.ok((await readFile(path)).equals(content));
		assert.is(warnings.filter((error) => isShoalError(error, 'ERR_TIMEOUT')).length, 0);
	});
}

for (const silence of ['all', 'drips', 'chunks'] as const) {
	test(`T30: a gateway serves a file beside silent nodes (silent: ${silence})`, async (t) => {
		const lane = await silentLane(t, 'deaf');
		const { content, seed, node, warnings } = await start(t, { silence, length: 100_000, lane });
		const gateway = await HttpServer.start({ port: 0, routes: [gatewayRoute(async () => node)] });
		t.defer(() => gateway.close());
		const response = await fetch(`${gateway.url}/files/${seed.id}`);
		assert.ok(Buffer.from(await response.arrayBuffer()).equals(content));
		assert.is(warnings.filter((error) => isShoalError(error, 'ERR_TIMEOUT')).length, 0);
	});
}

test('T30: a stream is complete beside silent nodes before any peer times out', async (t) => {
	const { content, seed, node, warnings } = await start(t, { silence: 'all', length: 100_000 });
	const chunks: Buffer[] = [];
	for await (const chunk of node.stream(seed.id)) {
		chunks.push(chunk as Buffer);
	}
	assert.ok(Buffer.concat(chunks).equals(content));
	assert.is(warnings.filter((error) => isShoalError(error, 'ERR_TIMEOUT')).length, 0);
});

for (const [what, silence, letIn] of [
	['answer nothing', 'all', false],
	['send no chunk', 'chunks', false],
	['accept everybody at their port and answer nothing there', 'chunks', true],
] as const) {
	test(`T30: ranges and files are served by HTTP beside nodes that ${what}`, async (t) => {
		const { content, seed, node, warnings } = await start(t, {
			...{ silence, letIn, length: 2_000_000 },
		});
		const gateway = await HttpServer.start({
			port: 0,
			names: [],
			routes: [gatewayRoute(async () => node)],
		});
		t.defer(() => gateway.close());
		const file = `${gateway.url}/files/${seed.id}`;
		// Like the requests of a media player that seeks: each range is a separate download.
		for (const [first, last] of [
			[1_000_000, 1_299_999],
			[0, 299_999],
		] as const) {
			const part = await fetch(file, { headers: { range: `bytes=${first}-${last}` } });
			assert.is(part.status, 206);
			const bytes = Buffer.from(await part.arrayBuffer());
			assert.ok(bytes.equals(content.subarray(first, last + 1)));
		}
		const whole = await fetch(file);
		assert.ok(Buffer.from(await whole.arrayBuffer()).equals(content));
		assert.is(warnings.filter((error) => isShoalError(error, 'ERR_TIMEOUT')).length, 0);
	});
}

test.run();
