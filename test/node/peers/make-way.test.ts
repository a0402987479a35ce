import * as assert from 'uvu/assert';
import { Peers } from '../../../node/peers/peers.ts';
import { Slots } from '../../../node/util/slots.ts';
import { decodeReply } from '../../../protocol/index.ts';
import { Peer } from '../../helpers/adversaries/peer.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('downloads that get nothing');
const contents = [contentOf(1_000), contentOf(2_000)];
const seeds = contents.map((content) => seedOf(content));

test('a download without bytes lets the next one begin after half a minute', async (t) => {
	const { url } = await startBroker(t);
	for (const [at, seed] of seeds.entries()) {
		const peer = await Peer.join(t, url);
		peer.serve(seed, { content: contents[at] as Uint8Array });
		await peer.announce(seed);
	}
	const begun: number[] = [];
	const gone: number[] = [];
	const all: Peers[] = [];
	const context = await openContext(t, url, {
		onMessage: (topic, payload) => {
			const reply = topic.kind === 'reply' ? decodeReply(payload) : undefined;
			if (reply?.op === 'have' && topic.kind === 'reply') {
				all[seeds.findIndex(({ id }) => id === reply.seed)]?.onHave(topic.from, reply);
			}
		},
	});
	const shared = { ...context, downloadSlots: new Slots(1) };
	for (const [at, { id }] of seeds.entries()) {
		const handlers = { has: () => begun.push(at), gone: () => gone.push(at), listed: () => {} };
		const peers = new Peers(shared, id, handlers);
		t.defer(() => peers.close());
		all.push(peers);
		await until('it runs or waits', () => peers.isWaiting || begun.includes(at));
	}
	const [first, second] = all as [Peers, Peers];
	assert.equal([first.isWaiting, second.isWaiting], [false, true]);
	await until('the second download runs', () => !second.isWaiting);
	assert.ok(first.isWaiting);
	assert.equal(gone, [0], 'it requests nothing while it waits');
	assert.ok(begun.includes(1));
});

test.run();
