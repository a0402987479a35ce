import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import * as assert from 'uvu/assert';
import { ConnectionLimit } from '../../../broker/http/connection-limit.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('connection limit');

/**
 * Opens `count` connections to a server at `host` that allows two per address.
 *
 * @returns the open connections, and a function that opens one more
 */
async function crowdAt(t: Scope, host: string, count: number) {
	const limit = new ConnectionLimit(2);
	let accepted = 0;
	const server = createServer((socket) => {
		accepted += 1;
		socket.on('error', () => {});
		limit.add(socket);
	});
	await new Promise<void>((resolve) => server.listen(0, host, resolve));
	t.defer(() => server.close());
	const { port } = server.address() as { port: number };
	const open = new Set<Socket>();
	const come = async (): Promise<Socket> => {
		const socket = connect({ port, host });
		open.add(socket);
		socket.on('error', () => {});
		socket.once('close', () => open.delete(socket));
		t.defer(() => socket.destroy());
		const before = accepted;
		await until('it is accepted', () => accepted > before);
		return socket;
	};
	for (let index = 0; index < count; index += 1) {
		await come();
	}
	return { open, come };
}

test('an address at its limit may open a connection again when it has closed one', async (t) => {
	const host = Object.values(networkInterfaces())
		.flatMap((each) => each ?? [])
		.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
	if (host === undefined) {
		return;
	}
	const { open, come } = await crowdAt(t, host, 3);
	await until('one is ended', () => open.size === 2);
	const [first] = open;
	first?.destroy();
	await until('one has left', () => open.size === 1);
	// The server may notice the close a little later.
	await until('there is room for another', async () => {
		const next = await come();
		await new Promise((resolve) => setTimeout(resolve, 100));
		return !next.destroyed;
	});
});

test('connections from loopback are not limited', async (t) => {
	const { open } = await crowdAt(t, '127.0.0.1', 4);
	await new Promise((resolve) => setTimeout(resolve, 100));
	assert.is(open.size, 4);
});

test.run();
