import * as assert from 'uvu/assert';
import { FanOutSubscriptions } from '../../../node/download/fan-out-subscriptions.ts';
import { PeerLanes } from '../../../node/download/peer-lanes.ts';
import { CoDownloaders } from '../../../node/engine/co-downloaders.ts';
import { DownloadEngine } from '../../../node/engine/download-engine.ts';
import { bytesOpen } from '../../../node/engine/remote-node.ts';
import { Bitfield, makeNodeId } from '../../../protocol/index.ts';
import { fakeListener } from '../../helpers/adversaries/fake-listener.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('the lanes to the peers of a download');
const seed = seedOf(contentOf(300_000));

/** A download from one node, which is reached through the broker. */
async function start(t: Scope) {
	const { url } = await startBroker(t);
	const context = await openContext(t, url);
	const { limits } = context;
	let request = 0n;
	const engine = new DownloadEngine({
		coDownloaders: new CoDownloaders(context.id),
		layout: seed.layout,
		have: new Bitfield(seed.chunks),
		order: 'rarest',
		mostPart: limits.part,
		mostOutstanding: limits.outstanding,
		mostStrikes: limits.badAnswers,
		mostRanges: limits.requestRanges,
		random: () => 0,
		requestId: () => {
			request += 1n;
			return request;
		},
	});
	const { listener, join } = fakeListener();
	context.lanes.listen(listener);
	const lanes = new PeerLanes(context, engine, new FanOutSubscriptions(context, seed.id), () => {});
	t.defer(() => lanes.close());
	const node = makeNodeId();
	engine.nodeHas(node, [0, 1]);
	lanes.has(node);
	return { engine, node, join };
}

test('requests through the broker stay open when a direct lane opens, as their answers still arrive', async (t) => {
	const { engine, node, join } = await start(t);
	engine.decide(0);
	const open = bytesOpen(engine.nodes.values());
	assert.ok(open > 0);
	join(node);
	assert.is(bytesOpen(engine.nodes.values()), open);
});

test('requests on a direct lane are sent again if another direct lane replaces it', async (t) => {
	const { engine, node, join } = await start(t);
	join(node);
	engine.decide(0);
	const open = bytesOpen(engine.nodes.values());
	assert.ok(open > 0);
	join(node);
	assert.is(bytesOpen(engine.nodes.values()), 0);
	engine.decide(1);
	assert.is(bytesOpen(engine.nodes.values()), open);
});

test.run();
