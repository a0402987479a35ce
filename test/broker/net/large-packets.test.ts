import * as assert from 'uvu/assert';
import { LargePackets, USUAL_PACKET } from '../../../broker/net/large-packets.ts';
import { type Limits, Topics } from '../../../protocol/index.ts';
import {
	connectRaw,
	messagesOf,
	publishPacket,
	subscribePacket,
} from '../../helpers/adversaries/raw-client.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('large packets');
const topics = new Topics();
const MIB = 1024 * 1024;

test('only large packets are counted, and the one that began first makes room', () => {
	const large = new LargePackets(2 * MIB);
	const cut: string[] = [];
	const begin = (name: string, length: number) => {
		const connection = {};
		large.begin(connection, length, () => cut.push(name));
		return connection;
	};
	for (let count = 0; count < 10; count += 1) {
		begin('usual', USUAL_PACKET);
	}
	const first = begin('first', MIB);
	begin('second', MIB);
	assert.equal(cut, []);
	large.end(first);
	large.end(first);
	begin('third', MIB);
	assert.equal(cut, []);
	begin('fourth', USUAL_PACKET + 1);
	assert.equal(cut, ['second']);
	begin('fifth', 2 * MIB);
	assert.equal(cut, ['second', 'third', 'fourth']);
	begin('larger than all', 3 * MIB);
	assert.equal(cut, ['second', 'third', 'fourth', 'fifth']);
});

/** A client that has sent half of a chunk message of 1 MiB, and can send the rest. */
async function sending(t: Scope, port: number, id: string) {
	const client = await connectRaw(t, port, id);
	const message = publishPacket(topics.chunk('receiver-01', id), Buffer.alloc(MIB, id));
	client.socket.write(message.subarray(0, MIB / 2));
	return { ...client, finish: () => client.socket.write(message.subarray(MIB / 2)) };
}

test('if too many large packets are arriving, the client whose packet began first is cut', async (t) => {
	const broker = await startBroker(t, { limits: { incoming: 2.5 * MIB } });
	const warnings: string[] = [];
	broker.on('warning', (error) => warnings.push((error as Error).message));
	const receiver = await connectRaw(t, broker.port, 'receiver-01');
	receiver.socket.write(subscribePacket(topics.inboxFilter('receiver-01')));
	const idle = await sending(t, broker.port, 'sender-01');
	const second = await sending(t, broker.port, 'sender-02');
	const third = await sending(t, broker.port, 'sender-03');
	await until('the first is cut', idle.isClosed);
	assert.is(broker.stats().refused.packet, 1);
	assert.match(warnings.join(), 'too many large packets');
	assert.not.ok(second.isClosed() || third.isClosed());

	// A whole packet, and one that will never be whole, make room for others.
	second.finish();
	await until('it arrives', () => messagesOf(receiver).length === 1);
	third.socket.destroy();
	await until('it is gone', () => broker.stats().clients === 2);
	const fourth = await sending(t, broker.port, 'sender-04');
	const fifth = await sending(t, broker.port, 'sender-05');
	fifth.finish();
	fourth.finish();
	await until('both arrive', () => messagesOf(receiver).length === 3);
	assert.is(broker.stats().refused.packet, 1);
});

test('only chunk messages may be large', async (t) => {
	const broker = await startBroker(t);
	const client = await connectRaw(t, broker.port, 'sender-01');
	client.socket.write(subscribePacket('x'.repeat(USUAL_PACKET)).subarray(0, 100));
	await until('it is cut', client.isClosed);
	assert.is(broker.stats().refused.packet, 1);
});

test('the tracker announces a part that the limits of the broker allow', async (t) => {
	const partOf = async (limits: Partial<Limits>) => {
		const { url } = await startBroker(t, { limits });
		const context = await openContext(t, url);
		await until('the tracker is ready', () => context.tracker.state);
		return context.tracker.part;
	};
	assert.is(await partOf({}), MIB);
	assert.is(await partOf({ part: 65_536 }), 65_536);
	assert.is(await partOf({ packet: 300_000 }), 300_000 - 1_024);
	assert.is(await partOf({ incoming: MIB }), MIB - 1_024);
	assert.is(await partOf({ incoming: 1_000 }), USUAL_PACKET - 1_024);
	assert.is(await partOf({ packet: 4 * MIB, part: 2 * MIB, incoming: 8 * MIB }), MIB);
});

test.run();
