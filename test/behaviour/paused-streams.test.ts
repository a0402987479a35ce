import * as assert from 'uvu/assert';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('paused streams', { timeout: 60_000 });
const LENGTH = 8_000_000;
/** One more than a download has slots for peers. */
const SEEDERS = 11;
/** ms after which idle peers would have lost their slots. */
const PAUSE = 13_000;

test('while a reader pauses, no peer counts as idle, and none loses its slot', async (t) => {
	const { url } = await startBroker(t);
	const content = contentOf(LENGTH);
	const path = await makeFile(t, content);
	let id = '';
	for (let index = 0; index < SEEDERS; index += 1) {
		const seeder = await startNode(t, url);
		({ id } = (await seeder.share(path)).seed);
	}
	const gone: string[] = [];
	const node = await startNode(t, url, {
		trace: (event) => event.event === 'gone' && gone.push(event.node),
	});
	const stream = node.stream(id, { readAhead: 500_000 });
	const parts: Uint8Array[] = [];
	const bytes = stream[Symbol.asyncIterator]();
	parts.push((await bytes.next()).value);
	const paused = performance.now();
	await until('the pause is long', () => performance.now() - paused > PAUSE);
	assert.equal(gone, []);
	for (let next = await bytes.next(); !next.done; next = await bytes.next()) {
		parts.push(next.value);
	}
	assert.ok(Buffer.concat(parts).equals(content));
});

test.run();
