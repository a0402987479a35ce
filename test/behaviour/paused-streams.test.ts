import * as assert from 'uvu/assert';
import { Peers } from '../../node/peers/peers.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('paused streams', { timeout: 60_000 });

/** Records what downloads tell their peers about whether they request bytes. */
function requestingOf(t: Scope): boolean[] {
	const told: boolean[] = [];
	const { requesting } = Peers.prototype;
	Peers.prototype.requesting = function (this: Peers, isOn: boolean) {
		told.push(isOn);
		requesting.call(this, isOn);
	};
	t.defer(() => {
		Peers.prototype.requesting = requesting;
	});
	return told;
}

test('while a reader pauses, the download requests nothing, so no peer counts as idle', async (t) => {
	const { url } = await startBroker(t);
	const content = contentOf(8_000_000);
	const path = await makeFile(t, content);
	const seeder = await startNode(t, url, { maxUp: 4_000_000 });
	const { seed } = await seeder.share(path);
	const node = await startNode(t, url);
	const told = requestingOf(t);
	const stream = node.stream(seed, { readAhead: 500_000 });
	const parts: Uint8Array[] = [];
	const bytes = stream[Symbol.asyncIterator]();
	parts.push((await bytes.next()).value);
	told.length = 0;
	await until('it requests nothing', () => told.at(-1) === false);
	for (let next = await bytes.next(); !next.done; next = await bytes.next()) {
		parts.push(next.value);
	}
	assert.ok(told.includes(true), 'it requests bytes while the reader reads on');
	assert.ok(Buffer.concat(parts).equals(content));
});

test.run();
