import { join } from 'node:path';
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

/** ms to the first byte from two honest nodes, beside `count` that never deliver. */
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
	test(`T30: beside five that do not deliver, the first byte comes less than 0.3 s later (silent: ${silence})`, async (t) => {
		await judge('the first byte later by', { unit: 'ms', most: 300 }, async () => {
			const alone = await firstByte(t, 0, silence);
			return (await firstByte(t, 5, silence)) - alone;
		});
	});
}

test.run();
