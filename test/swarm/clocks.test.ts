import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeJson } from '../../protocol/index.ts';
import { Peer, topics } from '../helpers/adversaries/peer.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { announce, seedId } from '../helpers/fixtures/registry.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { listed, makeFile, startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('clocks that jump');
const HOUR = 3_600_000;
/** Announces are renewed every second, so that a node that is delayed for 3 s stays listed. */
const [TTL, RENEWAL] = [5_000, 1_000];
const MIB = 1_048_576;

/** Makes `Date.now` jump an hour forth and back until the test ends. @returns the jumps so far */
function jump(t: Scope): () => number {
	const before = Date.now;
	let [hours, jumps] = [0, 0];
	Date.now = () => before() + hours * HOUR;
	const timer = setInterval(() => {
		hours = hours > 0 ? -1 : 1;
		jumps += 1;
	}, 150);
	t.defer(() => {
		clearInterval(timer);
		Date.now = before;
	});
	return () => jumps;
}

test('F18: when the clock jumps by an hour, live seeds stay, dead ones expire, and downloads go on', async (t) => {
	const { url } = await startBroker(t, { limits: { ttl: TTL, renewal: RENEWAL } });
	const content = contentOf(6 * MIB);
	const seeder = await startNode(t, url, { maxUp: 2_000_000 });
	const { seed } = await seeder.share(await makeFile(t, content));
	const dying = await Peer.join(t, url);
	const dead = seedId(1);
	const ttl = TTL;
	const text = encodeJson(announce(dying.link.session, { ttl }));
	await dying.link.retain(topics.announce(dead, dying.id), text);
	const node = await startNode(t, url);
	await until('both are listed', async () => (await listed(node)).length === 2);
	const jumps = jump(t);
	const output = join(await makeFolder(t), 'copy.bin');
	const getting = node.get(seed.id, { output });
	getting.catch(() => {});
	await until('the seed that is not renewed is not listed', async () => {
		const { nodes } = await node.who(seed.id);
		assert.ok(
			nodes.some(({ node: id }) => id === seeder.id),
			'the live seeder is listed',
		);
		await new Promise((resolve) => setTimeout(resolve, 50));
		return !(await listed(node)).some((each) => each.seed === dead);
	});
	assert.ok(jumps() > 2);
	await getting;
	assert.equal(await readFile(output), Buffer.from(content));
});

test.run();
