import * as assert from 'uvu/assert';
import { Listener } from '../../../broker/index.ts';
import { dial } from '../../../node/lanes/dial.ts';
import { resolveLimits } from '../../../protocol/index.ts';
import { topics } from '../../helpers/adversaries/peer.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('dial');
const ME = 'dialler-1';
const NODE = 'listener-1';
const OTHER = 'other-001';
const limits = resolveLimits();

test('T5: of a node that was dialled, only messages in its own name are taken', async (t) => {
	const listener = await Listener.start({
		...{ id: NODE, host: '127.0.0.1', port: 0, topics, limits },
		admit: () => {},
		onMessage: () => {},
	});
	t.defer(() => listener.close());
	listener.on('joined', (peer) => {
		for (const topic of [
			topics.reply(ME, OTHER),
			topics.chunk(ME, OTHER),
			topics.trackerState(),
			topics.nodeState(OTHER),
			topics.reply(ME, NODE),
		]) {
			peer.send(topic, new Uint8Array(1));
		}
	});
	const taken: string[] = [];
	const lane = await dial({
		...{ id: ME, node: NODE, addresses: [`mqtt://127.0.0.1:${listener.address.port}`] },
		...{ cert: undefined, ticket: 'any', topics, keepalive: limits.keepalive },
		onMessage: ({ topic }) => taken.push(topic),
		onClosed: () => {},
		signal: new AbortController().signal,
	});
	t.defer(() => lane.close());
	await until('the last message', () => taken.includes(topics.reply(ME, NODE)));
	assert.equal(taken, [topics.reply(ME, NODE)]);
});

test.run();
