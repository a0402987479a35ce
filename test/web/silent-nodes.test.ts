import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import { makeSeed } from '../../node/index.ts';
import { silentPeers } from '../helpers/adversaries/silent-peers.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { suite } from '../helpers/harness/suite.ts';
import { openTab } from './chromium.ts';
import { buildApp } from './library-app.ts';
import { serveFolder } from './serve-folder.ts';
import { spawnServed } from './served.ts';

const test = suite('a browser in a swarm with silent nodes', { timeout: 300_000 });

for (const silence of ['all', 'drips', 'chunks'] as const) {
	test(`T30: files of 1,000 and 100,000 bytes arrive before any silent node times out (silence: ${silence})`, async (t) => {
		const app = await serveFolder(t, await buildApp(t));
		const served = await spawnServed(t, '--http-origin', app, '--limit', 'part=1024');
		const { page, trouble } = await openTab(t, app);
		await page.waitForFunction('window.ask');
		const ask = (order: unknown) => page.evaluate<unknown>(`ask(${JSON.stringify(order)})`);
		const url = `${served.page.replace('http', 'ws')}/mqtt`;
		for (const length of [1_000, 100_000]) {
			const content = contentOf(length);
			const path = await makeFile(t, content);
			const seed = await makeSeed(path);
			await silentPeers(t, served.url, seed, { count: 5, silence });
			for (let index = 0; index < 2; index += 1) {
				await (await startNode(t, served.url)).share(path);
			}
			const digest = createHash('sha256').update(content).digest('hex');
			assert.is(await ask({ url, get: seed.id }), digest);
		}
		const warnings = (await ask({ warnings: true })) as string[];
		assert.is(warnings.filter((code) => code === 'ERR_TIMEOUT').length, 0);
		assert.equal(trouble, []);
	});
}

test.run();
