import * as assert from 'uvu/assert';
import { LargePackets, USUAL_PACKET } from '../../../broker/net/large-packets.ts';
import { Topics } from '../../../protocol/index.ts';
import {
	connectRaw,
	messagesOf,
	publishPacket,
	subscribePacket,
} from '../../helpers/adversaries/raw-client.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('large packets');
const topics = new Topics();
const MIB = 1024 * 1024;

test('packets of the usual size are not counted', () => {
	const large = new LargePackets(MIB);
	for (let count = 0; count < 10; count += 1) {
		assert.is(large.begin(USUAL_PACKET), 0);
	}
	assert.is(large.begin(MIB), MIB);
	throwsCode('ERR_LIMIT', () => large.begin(USUAL_PACKET + 1));
	assert.is(large.begin(USUAL_PACKET), 0);
	large.end(MIB);
	assert.is(large.begin(USUAL_PACKET + 1), USUAL_PACKET + 1);
});

/** A client that has sent half of a chunk message of 1 MiB, and can send the rest. */
async function sending(t: Scope, port: number, id: string) {
	const client = await connectRaw(t, port, id);
	const message = publishPacket(topics.chunk('receiver-01', id), Buffer.alloc(MIB, id));
	client.socket.write(message.subarray(0, MIB / 2));
	return { ...client, finish: () => client.socket.write(message.subarray(MIB / 2)) };
}

test('a client is cut if it begins a large packet while too many are arriving', async (t) => {
	const broker = await startBroker(t, { limits: { incoming: 2.5 * MIB } });
	const receiver = await connectRaw(t, broker.port, 'receiver-01');
	receiver.socket.write(subscribePacket(topics.inboxFilter('receiver-01')));
	const first = await sending(t, broker.port, 'sender-01');
	const second = await sending(t, broker.port, 'sender-02');
	const third = await sending(t, broker.port, 'sender-03');
	await until('the third is cut', third.isClosed);
	assert.is(broker.stats().refused.packet, 1);
	assert.not.ok(first.isClosed() || second.isClosed());

	// A whole packet, and one that will never be whole, make room for others.
	first.finish();
	await until('it arrives', () => messagesOf(receiver).length === 1);
	second.socket.destroy();
	await until('it is gone', () => broker.stats().clients === 2);
	for (const id of ['sender-04', 'sender-05']) {
		const next = await sending(t, broker.port, id);
		next.finish();
	}
	await until('both arrive', () => messagesOf(receiver).length === 3);
});

test.run();
