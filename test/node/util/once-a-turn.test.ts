import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import * as assert from 'uvu/assert';
import { OnceATurn } from '../../../node/util/once-a-turn.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('OnceATurn');

test('calls once for all sockets that are readable', async (t) => {
	const server = createServer().listen(0, '127.0.0.1');
	t.defer(() => server.close());
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	const events: string[] = [];
	const call = new OnceATurn(() => events.push('called'));
	const sockets: Socket[] = [];
	for (const name of ['a', 'b']) {
		const accepted = once(server, 'connection');
		const sender = connect(port, '127.0.0.1');
		const [receiver] = (await accepted) as [Socket];
		receiver.on('data', () => {
			events.push(name);
			call.soon();
		});
		sockets.push(sender, receiver);
		t.defer(() => sender.destroy());
		t.defer(() => receiver.destroy());
	}
	for (const [index, sender] of sockets.entries()) {
		if (index % 2 === 0) {
			sender.write('x');
		}
	}
	// Both bytes are there before the next turn of the event loop begins.
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
	while (!events.includes('called')) {
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	assert.equal(events.sort(), ['a', 'b', 'called']);
	call.soon();
	await new Promise((resolve) => setTimeout(resolve, 5));
	assert.equal(events.filter((each) => each === 'called').length, 2);
});

test('an urgent call is made before the next socket is read, and is the only one', async () => {
	let calls = 0;
	const call = new OnceATurn(() => calls++);
	call.soon();
	call.urgent();
	call.urgent();
	assert.is(calls, 0);
	await Promise.resolve();
	assert.is(calls, 1);
	await new Promise((resolve) => setTimeout(resolve, 5));
	assert.is(calls, 1);
	call.soon();
	await new Promise((resolve) => setTimeout(resolve, 5));
	assert.is(calls, 2);
});

test.run();
