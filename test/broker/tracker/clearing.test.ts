import * as assert from 'uvu/assert';
import { Tracker } from '../../../broker/index.ts';
import { Clearing } from '../../../broker/tracker/clearing.ts';
import { encodeJson, Topics } from '../../../protocol/index.ts';
import { startFakeBroker } from '../../helpers/adversaries/fake-broker.ts';
import { publishPacket } from '../../helpers/adversaries/raw-client.ts';
import { announce, seedId } from '../../helpers/fixtures/registry.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('clearing');
const topics = new Topics();
const NODE = 'node-0001';
const announceOf = (number: number): string => topics.announce(seedId(number), NODE);

test('each topic waits once, and no more topics wait than are allowed', async () => {
	const link = { isUp: false, forget: async (topic: string) => void forgotten.push(topic) };
	const forgotten: string[] = [];
	const clearing = new Clearing({ link, topics, most: 2, onFailure: () => assert.unreachable() });
	const outcomes = [1, 2, 1, 3, 2].map((number) => clearing.forget(announceOf(number)));
	assert.equal(outcomes, [true, true, true, false, true]);
	link.isUp = true;
	clearing.pump();
	await clearing.emptied(60_000);
	assert.equal(forgotten, [announceOf(1), announceOf(2)]);
	assert.ok(clearing.isOwn(announceOf(1)));
	assert.not(clearing.isOwn(announceOf(1)), 'it has come back once');
	assert.ok(clearing.forget(announceOf(3)), 'there is room again');
});

test('T10: nodes get replies while the tracker deletes announces, however long that takes', async (t) => {
	const replies: string[] = [];
	const broker = await startFakeBroker(t, (packet, reply) => {
		if (packet.cmd === 'connect') {
			reply({ cmd: 'connack', returnCode: 0, sessionPresent: false });
		} else if (packet.cmd === 'subscribe') {
			reply({ cmd: 'suback', messageId: packet.messageId as number, granted: [0] });
		} else if (packet.cmd === 'publish' && packet.topic.includes('/reply/')) {
			replies.push(packet.topic);
		}
		// No PUBLISH of the tracker is acknowledged: it goes on deleting the announces that it refuses.
	});
	const limits = { nodeAnnounces: 1 };
	const tracker = await Tracker.start({ url: broker.url, isAlone: true, limits });
	t.defer(() => tracker.close());
	const [socket] = broker.sockets;
	// Otherwise the tracker waits until its state `lost` is acknowledged.
	t.defer(() => socket?.destroy());
	const send = (topic: string, message: unknown): void => {
		const payload = Buffer.from(encodeJson(message));
		socket?.write(publishPacket(topic, payload));
	};
	for (let number = 0; number < 1_000; number += 1) {
		send(announceOf(number), announce('session-1'));
	}
	await until('they are refused', () => tracker.stats().refused['node-announces'] === 999);
	send(topics.trackerRequest(NODE), { op: 'query', id: '0'.repeat(16), seed: seedId(1) });
	await until('the reply', () => replies.length === 1);
});

test.run();
