import { join } from 'node:path';
import { HttpServer } from '../../broker/index.ts';
import { gatewayRoute } from '../../node/gateway/gateway.ts';
import { makeSeed } from '../../node/index.ts';
import { type Silence, silentPeers } from '../helpers/adversaries/silent-peers.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import type { Scope } from '../helpers/harness/suite.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';

const test = await timingSuite('silent nodes');
const LENGTH = 1_000_000;
const content = contentOf(LENGTH);

/** The ms until the first byte, with two honest nodes and `count` nodes that never deliver. */
async function firstByte(t: Scope, count: number, silence: Silence): Promise<number> {
	const { url } = await startBroker(t, { limits: { part: 4_096 } });
	const path = await makeFile(t, content);
	const seed = await makeSeed(path);
	await silentPeers(t, url, seed, { count, silence });
	for (let index = 0; index < 2; index += 1) {
		await (await startNode(t, url)).share(path);
	}
	const node = await startNode(t, url);
	const begun = performance.now();
	let first = Number.POSITIVE_INFINITY;
	const look = setInterval(() => {
		if (node.received.total > 0) {
			first = Math.min(first, performance.now() - begun);
		}
	}, 1);
	t.defer(() => clearInterval(look));
	await node.get(seed.id, { output: join(await makeFolder(t), 'copy') });
	return Math.min(first, performance.now() - begun);
}

for (const silence of ['all', 'drips', 'chunks'] as const) {
	test(`T30: five nodes that do not deliver delay the first byte by less than 0.3 s (silent: ${silence})`, async (t) => {
		await judge('delay of the first byte', { unit: 'ms', most: 300 }, async () => {
			const alone = await firstByte(t, 0, silence);
			return (await firstByte(t, 5, silence)) - alone;
		});
	});
}

/** The ms for four chunks by HTTP after the second seek of a player, with `count` silent nodes. */
async function secondRange(t: Scope, count: number, silence: Silence): Promise<number> {
	const { url } = await startBroker(t);
	const path = await makeFile(t, contentOf(4_000_000));
	const seed = await makeSeed(path);
	await silentPeers(t, url, seed, { count, silence });
	await (await startNode(t, url)).share(path);
	const node = await startNode(t, url);
	const routes = [gatewayRoute(async () => node)];
	const gateway = await HttpServer.start({ port: 0, names: [], routes });
	t.defer(() => gateway.close());
	const get = async (range: string): Promise<number> => {
		const begun = performance.now();
		const response = await fetch(`${gateway.url}/files/${seed.id}`, { headers: { range } });
		await response.arrayBuffer();
		return performance.now() - begun;
	};
	await get('bytes=0-999999');
	return await get('bytes=2000000-2999999');
}

for (const silence of ['all', 'chunks', 'slow chunks'] as const) {
	test(`T30: five nodes that do not deliver delay four chunks by HTTP by less than 1 s (silent: ${silence})`, async (t) => {
		await judge('delay of four chunks', { unit: 'ms', most: 1_000 }, async () => {
			const alone = await secondRange(t, 0, silence);
			return (await secondRange(t, 5, silence)) - alone;
		});
	});
}

test.run();
